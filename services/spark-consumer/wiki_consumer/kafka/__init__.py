"""How we speak to the Kafka brokers, as Java's clients want it."""
