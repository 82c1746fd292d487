"""Metrics of recognitions against the truth, and the files that hold both."""
