"""The dialog that measures what drafting brings."""
