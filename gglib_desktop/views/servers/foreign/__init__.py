"""Servers that other programs started."""
