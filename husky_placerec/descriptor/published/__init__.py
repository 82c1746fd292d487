"""Published networks for place recognition: their definitions, and how their weights are read."""
