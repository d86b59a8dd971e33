"""The main window, and the dialogs of the whole program."""
