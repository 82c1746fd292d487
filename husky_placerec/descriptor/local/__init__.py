"""Local features of places, and how well those of two images agree."""
