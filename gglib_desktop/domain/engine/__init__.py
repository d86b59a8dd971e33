"""What an engine program can do."""
