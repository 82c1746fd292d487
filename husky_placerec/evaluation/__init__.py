"""Evaluations and replays: recognitions judged by the truth, their metrics and reports."""
