"""Where models are, and the database of what people know about them."""
