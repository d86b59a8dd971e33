"""What a model file says of itself, and the memory that follows from it."""
