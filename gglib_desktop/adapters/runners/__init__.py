"""Places where servers run."""
