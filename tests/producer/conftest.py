from hypothesis import HealthCheck, settings

# A busy machine is no failure, and an example that failed can be repeated from the log.
settings.register_profile(
    "producer", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("producer")
