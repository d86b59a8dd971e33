"""GGLib Desktop: the desktop control room for local LLM servers."""

__version__ = "0.1.0"
