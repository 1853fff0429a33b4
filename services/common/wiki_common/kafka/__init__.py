"""Kafka's addresses and login: the settings, which of them go together, and what a refusal means."""
