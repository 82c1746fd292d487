"""The places of a map, their descriptors and the search among them."""
