"""The addresses of servers on this computer."""

from __future__ import annotations

import contextlib
import socket

import psutil

from gglib_desktop.domain.options.host import openai_url, other_urls
from gglib_desktop.domain.servers.server import ServerConfig


def endpoint(config: ServerConfig | None, port: int) -> str:
    """The base URL for clients on this computer."""
    return openai_url(port, config.host if config is not None else None)


def other_endpoints(config: ServerConfig | None, port: int) -> tuple[str, ...]:
    """The base URLs for clients on other computers, if they can reach the server."""
    host = config.host if config is not None else None
    return tuple(f"{url}/v1" for url in other_urls(host, port, _own_addresses()))


def _own_addresses() -> list[str]:
    with contextlib.suppress(OSError, psutil.Error):
        cards = psutil.net_if_addrs().values()
        return [each.address for card in cards for each in card if each.family in {socket.AF_INET, socket.AF_INET6}]
    return []
