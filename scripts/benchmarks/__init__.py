"""What ./scripts/bench runs: one module per part of the pipeline."""
