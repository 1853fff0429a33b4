"""The streaming query from the topic to the volume, and what keeps it running."""
