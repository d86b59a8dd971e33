"""Measures what drafting brings to a model, and keeps what was measured."""
