"""The command line, `placerec`."""
