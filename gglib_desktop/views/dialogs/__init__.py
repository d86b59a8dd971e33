"""Windows that ask for a decision. All of them are non-blocking."""
