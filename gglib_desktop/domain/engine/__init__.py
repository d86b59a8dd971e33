"""What an engine program can do, and what it calls otherwise than others."""
