"""Training of the descriptor's network on drives whose poses are known."""
