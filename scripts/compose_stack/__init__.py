"""What scripts/compose-test runs: the system in real containers. Needs no package besides Python's own."""
