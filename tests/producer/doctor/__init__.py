"""What the producer's doctor finds, each problem by its cause."""
