"""What the program is about: values, errors and pure functions. No I/O, no asyncio, no Qt."""
