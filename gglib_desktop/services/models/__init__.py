"""The library, and the search for models."""
