"""Watching servers that somebody else runs."""
