"""Distillation: a small network learns the similarities that a large one sees, without labels."""
