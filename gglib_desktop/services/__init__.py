"""Use-cases in asyncio, without Qt."""
