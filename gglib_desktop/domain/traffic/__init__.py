"""What servers do: their requests, their figures, and what drafting brings."""
