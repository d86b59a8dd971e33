"""Models of the library: which files make one up, and what people say about it."""
