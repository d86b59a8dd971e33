"""A model over several computers: one server, its head, and a worker on each of the others."""
