"""The demo: `placerec demo` does the main job end to end."""
