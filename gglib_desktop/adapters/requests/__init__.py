"""The history of requests, in a file of its own."""
