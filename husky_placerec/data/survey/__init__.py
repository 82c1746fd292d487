"""The survey of a source for `placerec data check`: numbers, and findings."""
