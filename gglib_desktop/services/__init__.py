"""Use-cases: starting, watching and stopping servers; keeping the library. asyncio, no Qt."""
