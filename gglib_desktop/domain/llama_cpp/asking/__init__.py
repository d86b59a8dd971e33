"""Questions to llama-server, and its answers."""
