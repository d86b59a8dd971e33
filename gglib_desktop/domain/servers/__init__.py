"""What a server is asked to be, the states of its life, and why it ended."""
