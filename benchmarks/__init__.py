"""What makes the figures in the README. `python -m benchmarks` runs them all."""
