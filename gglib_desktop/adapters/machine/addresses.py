"""The addresses of this computer."""

from __future__ import annotations

import contextlib
import socket

import psutil


def own_addresses() -> list[str]:
    """Those of all its network cards, for both versions of IP; nothing where the system does not tell."""
    with contextlib.suppress(OSError, psutil.Error):
        cards = psutil.net_if_addrs().values()
        return [each.address for card in cards for each in card if each.family in {socket.AF_INET, socket.AF_INET6}]
    return []
