"""Closes hours, and deletes what they replace and what is too old."""
