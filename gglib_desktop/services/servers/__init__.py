"""The running servers, and those of other programs."""
