"""Frozen values, errors and pure functions: what the program knows, without I/O, asyncio or Qt."""
