"""A stand-in for Wikimedia's recentchange stream: deterministic, resumable, with faults on request."""
