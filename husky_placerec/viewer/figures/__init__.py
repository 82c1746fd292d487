"""Figures of plotly for the page."""
