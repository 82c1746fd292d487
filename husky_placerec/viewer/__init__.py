"""The page on which results and maps are looked at, and their export to other viewers."""
