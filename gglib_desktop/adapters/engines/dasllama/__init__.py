"""Starting, finding and asking dasllama-server."""
