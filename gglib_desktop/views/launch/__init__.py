"""The forms in which people choose how a model is started, and its command line."""
