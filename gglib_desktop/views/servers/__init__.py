"""The panels of servers."""
