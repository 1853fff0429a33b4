"""`python -m wiki_consumer.doctor`: checks what the consumer needs, and what it has left on the volume."""
