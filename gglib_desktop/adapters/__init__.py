"""The world outside: one thing each."""
