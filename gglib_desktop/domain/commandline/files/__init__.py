"""Files that people keep a start of llama-server in."""
