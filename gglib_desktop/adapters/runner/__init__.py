"""The process runner over any place and any engine."""
