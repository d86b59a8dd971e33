"""Follows what servers do: their requests and their figures."""
