"""Chooses the ports that servers listen on."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Collection

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.local.port_owners import owner_of
from gglib_desktop.domain.errors import ConfigurationError, PortTaken, ResourceExhausted
from gglib_desktop.domain.servers.server import ServerConfig

WINDOW = 100
_LAST_PORT = 65535
_ADDRESSES = ("127.0.0.1", "0.0.0.0")
_ALL_6 = "::"


async def choose_port(
    config: ServerConfig, *, avoid: Collection[int], freed: int | None = None, in_thread: InThread
) -> int:
    """The port for ``config``, one of ``avoid`` only if it is asked for. ``freed``: in use, but not at the start.

    Raises: PortTaken for an explicit port, ResourceExhausted when all of the window are in use, ConfigurationError for
    a host that is not this computer's.
    """
    # In the threads of the loop: looking up a name may take long.
    six = await asyncio.to_thread(_uses_6, config.host) if config.host is not None else False
    if config.port is not None:
        if config.port != freed and not is_free(config.port, six=six):
            raise PortTaken(config.port, await in_thread(owner_of, config.port))
        return config.port
    last = min(config.base_port + WINDOW - 1, _LAST_PORT)
    for port in range(config.base_port, last + 1):
        if port not in avoid and (port == freed or is_free(port, six=six)):
            return port
    raise ResourceExhausted(f"no free port from {config.base_port} to {last}")


def is_free(port: int, *, six: bool = True) -> bool:
    """Whether a server could listen on ``port``, on loopback and on all addresses, with ``six`` also those of IPv6.

    Raises: ResourceExhausted when the system gives nothing to try it with.
    """
    if any(_refusal(address, port) for address in _ADDRESSES):
        return False
    refusal = _refusal(_ALL_6, port) if six else None
    # There are computers without IPv6.
    return refusal is None or refusal.errno != errno.EADDRINUSE


async def is_let_go(port: int, *, six: bool = True) -> bool:
    """As ``is_free``; False also where that cannot be tried."""
    try:
        return is_free(port, six=six)
    except ResourceExhausted:
        return False


def _uses_6(host: str) -> bool:
    """Whether a server that listens on ``host`` uses IPv6. Blocks. Raises: ConfigurationError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise ConfigurationError("host", host, f"no address is known for it ({exc.strerror})") from exc
    addresses = [str(address[0]) for *_more, address in found]
    if all(_refusal(address, 0) for address in addresses):
        raise ConfigurationError("host", host, "is no address of this computer")
    return any(":" in address for address in addresses)


def _refusal(address: str, port: int) -> OSError | None:
    """Why no server can listen there now, None if one can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        probe = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        if family is socket.AF_INET6:
            return exc
        raise ResourceExhausted(f"the system gives no socket: {exc.strerror}") from exc
    with probe:
        if sys.platform == "win32":  # not run
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Without it, connections that linger in TIME_WAIT would refuse a restart on the same port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if family is socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
        except OSError as exc:
            return exc
    return None
