"""What the producer says of itself: counts and metrics, health, and the checks of the doctor."""
