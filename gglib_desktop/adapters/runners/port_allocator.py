"""Chooses the ports that servers listen on, and tells who holds one that is taken."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from gglib_desktop.adapters.threads import InThread
from gglib_desktop.domain.errors import PortTaken, ResourceExhausted
from gglib_desktop.domain.server import ServerConfig

WINDOW = 100
_LAST_PORT = 65535
_ADDRESSES = ("127.0.0.1", "0.0.0.0")


class PortAllocator:
    """Hands out each port to one start at a time."""

    def __init__(self, in_thread: InThread = asyncio.to_thread) -> None:
        self._in_thread = in_thread
        self._reserved: set[int] = set()

    @contextmanager
    def reserved(self, port: int) -> Iterator[None]:
        """Keeps ``port`` from other starts until the server listens or the start has failed."""
        self._reserved.add(port)
        try:
            yield
        finally:
            self._reserved.discard(port)

    async def choose(self, config: ServerConfig, *, avoid: frozenset[int]) -> int:
        """The port for ``config``; reserve it before the next await. ``avoid``: ports that were stolen or are ours.

        Raises: PortTaken for an explicit port, ResourceExhausted when all of the window are in use.
        """
        if config.port is not None:
            if config.port in self._reserved:
                raise PortTaken(config.port, "a server that is starting")
            if not is_free(config.port):
                raise PortTaken(config.port, await self._in_thread(owner_of, config.port))
            return config.port
        last = min(config.base_port + WINDOW - 1, _LAST_PORT)
        for port in range(config.base_port, last + 1):
            if port not in self._reserved and port not in avoid and is_free(port):
                return port
        raise ResourceExhausted(f"no free port from {config.base_port} to {last}")


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port``, on loopback and on all addresses.

    Raises: ResourceExhausted when the system gives nothing to try it with.
    """
    return all(_can_bind(address, port) for address in _ADDRESSES)


def owner_of(port: int) -> str | None:
    """``name (pid n)`` of the program that listens on ``port``, None when the system does not reveal it. Blocks."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return None
    for connection in connections:
        if connection.pid and connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return None


def listens_on(pid: int, port: int) -> bool:
    """Whether the process itself, or one it started, listens on ``port``. Blocks."""
    return listening_family(pid, port) is not None


def listens_itself(pid: int, port: int) -> bool:
    """Whether the process has a socket that listens on ``port``. Blocks."""
    try:
        return _has_listener(psutil.Process(pid), port)
    except (psutil.Error, OSError):
        return False


def listening_family(pid: int, port: int) -> list[psutil.Process] | None:
    """All that the process started when one of these listens on ``port``, nothing when it does so itself. Blocks.

    None when nobody of them listens.
    """
    try:
        process = psutil.Process(pid)
        if _has_listener(process, port):
            return []
        children = process.children(recursive=True)
    except (psutil.Error, OSError):
        return None
    return children if any(_has_listener(child, port) for child in children) else None


def _has_listener(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def _can_bind(address: str, port: int) -> bool:
    try:
        probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError as exc:
        raise ResourceExhausted(f"the system gives no socket: {exc.strerror}") from exc
    with probe:
        if sys.platform == "win32":  # not run
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Without it, connections that linger in TIME_WAIT would refuse a restart on the same port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
