"""The library, and where models are looked for."""
