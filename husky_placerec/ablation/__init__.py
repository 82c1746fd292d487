"""Ablation: networks that differ in one part are trained the same way and compared."""
