"""Whether poses can be those of a robot: what is found, how grave it is, and the remedy."""
