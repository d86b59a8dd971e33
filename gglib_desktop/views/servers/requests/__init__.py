"""The page about what a server was asked."""
