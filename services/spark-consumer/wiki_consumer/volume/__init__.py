"""The files below DATA_DIR that the consumer writes."""
