"""The demo `placerec demo`: mapping and recognition from end to end."""
