"""What the producer says of itself: counts and metrics, health."""
