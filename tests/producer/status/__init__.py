"""Metrics, health and the doctor."""
