"""The kinds of places that people add and test in the settings."""
