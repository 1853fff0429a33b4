"""What the consumer's doctor finds, each problem by its cause."""
