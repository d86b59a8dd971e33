"""A server's command line in the formats of shells, services, containers and programs in front of llama-server."""
