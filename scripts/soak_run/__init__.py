"""What `./scripts/soak` runs: the whole pipeline under load while hours pass, and whether anything grows."""
