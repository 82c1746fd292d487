"""The main job shown once, end to end: `placerec demo`."""
