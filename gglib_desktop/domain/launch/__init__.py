"""What the user chooses for a start, and the resulting configuration."""
