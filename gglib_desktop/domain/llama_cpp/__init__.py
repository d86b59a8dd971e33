"""llama.cpp: its command line, its help, its log and its answers. No other package knows its words."""
