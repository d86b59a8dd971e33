"""A server's log as text, line by line."""
