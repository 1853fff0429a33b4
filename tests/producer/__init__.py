"""The producer: each step for itself, then against a real broker and a stream with faults."""
