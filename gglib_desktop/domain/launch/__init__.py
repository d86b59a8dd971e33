"""What a person chooses for a start, and the configuration that follows from it."""
