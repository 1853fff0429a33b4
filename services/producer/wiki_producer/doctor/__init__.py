"""`python -m wiki_producer.doctor`: checks step by step what the producer needs."""
