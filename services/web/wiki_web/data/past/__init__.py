"""Answers as they were at a past moment: from what is stored, on demand, and not held."""
