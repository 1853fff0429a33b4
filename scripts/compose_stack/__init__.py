"""What scripts/compose-test runs: the system in real containers. Standard library only."""
