"""The decision on an event, and what is published of it."""
