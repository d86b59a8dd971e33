"""The dialog Settings."""
