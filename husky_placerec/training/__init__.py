"""Training of a descriptor's network on drives with known poses."""
