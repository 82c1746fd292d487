"""Texts on signs: reading them, comparing them, and keeping them in a map. It knows no ROS."""
