"""Models of the library: their files, and what people say about them."""
