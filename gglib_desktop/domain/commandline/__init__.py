"""Command lines of other programs and files, read and written."""
