"""What becomes of an event: the decision, the published form, and the way from stream to topic."""
