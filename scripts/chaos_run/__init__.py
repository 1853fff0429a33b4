"""What `./scripts/chaos` runs: the whole pipeline under random faults, and whether its counts stay exact."""
