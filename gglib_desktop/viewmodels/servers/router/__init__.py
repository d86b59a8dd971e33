"""The models of a router."""
