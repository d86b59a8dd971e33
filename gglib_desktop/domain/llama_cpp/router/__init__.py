"""llama-server in router mode."""
