"""Containers as a place for servers, through Docker's API, which Podman speaks too."""
