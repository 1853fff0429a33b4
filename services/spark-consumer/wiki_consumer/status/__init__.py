"""What the consumer tells of itself: health and metrics."""
