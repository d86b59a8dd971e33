"""The page of what a server starts with next."""
