"""Asking llama-server over HTTP."""
