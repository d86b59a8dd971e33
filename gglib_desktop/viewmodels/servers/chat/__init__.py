"""A chat with the model of a server."""
