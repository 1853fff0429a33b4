"""Reads Wikimedia's stream of recent changes and publishes it to a Kafka topic, losing nothing on the way."""
