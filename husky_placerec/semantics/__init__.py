"""What the pixels of an image show: tables of classes, masks, and networks that make masks."""
