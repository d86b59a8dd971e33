"""This computer: its memory, its threads, its way to end programs."""
