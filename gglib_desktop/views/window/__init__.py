"""The main window, and what speaks for the whole program."""
