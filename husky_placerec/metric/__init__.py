"""Metric localisation: landmarks of a place map, and the pose of a frame from them."""
