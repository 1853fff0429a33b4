"""Topics and publishing, against a real broker."""
