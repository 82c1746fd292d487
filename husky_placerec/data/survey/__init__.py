"""What is in a source, in numbers, and what is wrong with it."""
