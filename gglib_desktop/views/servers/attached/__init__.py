"""The panels of servers that somebody else runs."""
