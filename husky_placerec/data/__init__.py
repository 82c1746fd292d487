"""Sources of frames and poses: bags, tracks and folders of images."""
