"""From a frame to a recognition."""
