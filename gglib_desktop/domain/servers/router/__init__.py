"""A server of kind router: it serves several models, each in a process of its own that it starts and ends itself."""
