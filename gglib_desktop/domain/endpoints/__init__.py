"""Servers that somebody else runs: where they are, what they answer, and how well they are as far as was seen."""
