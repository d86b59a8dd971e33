"""Starting, finding and asking vLLM."""
