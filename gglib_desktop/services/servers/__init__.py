"""The servers that run: their lives, and those of others."""
