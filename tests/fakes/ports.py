"""Ports for servers in tests."""

import random


def some_base_port() -> int:
    """Below the ports that the system gives to clients, and most likely not another test run's."""
    return random.randrange(10_000, 32_000)
