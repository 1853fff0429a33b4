"""Reading the stream, for itself."""
