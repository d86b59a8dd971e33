"""The forms for the options of a start, and its command line."""
