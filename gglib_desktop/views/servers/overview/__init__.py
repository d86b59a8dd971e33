"""The page about what a server is and does now."""
