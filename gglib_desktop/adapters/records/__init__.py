"""The data directory: its lock, and what is written down of servers."""
