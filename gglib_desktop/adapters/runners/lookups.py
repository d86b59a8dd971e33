"""What a runner tells, without asking anybody, of the servers that it has announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from gglib_desktop.adapters.machine.addresses import endpoint, other_endpoints
from gglib_desktop.adapters.runners.records import ServerRecord
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.servers.exits import ServerExit
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.ports.servers.server_monitor import LostServer


class AnnouncedServer(Protocol):
    """A server as far as the look-ups need it."""

    record: ServerRecord
    key: str | None


Server = TypeVar("Server", bound=AnnouncedServer)


class ServerLookups(Generic[Server]):
    """The part of ServerMonitor that reads from what is known; empty or None for an unknown server."""

    def __init__(self) -> None:
        self._servers: dict[ProcessHandle, Server] = {}
        self._lost: list[LostServer] = []

    def endpoint(self, handle: ProcessHandle) -> str:
        return endpoint(self.config(handle), handle.port)

    def other_endpoints(self, handle: ProcessHandle) -> tuple[str, ...]:
        return other_endpoints(self.config(handle), handle.port)

    def api_key(self, handle: ProcessHandle) -> str | None:
        return self._servers[handle].key if handle in self._servers else None

    def config(self, handle: ProcessHandle) -> ServerConfig | None:
        server = self._servers.get(handle)
        return server.record.config if server is not None else None

    def command_line(self, handle: ProcessHandle) -> str:
        server = self._servers.get(handle)
        return server.record.command_line if server is not None else ""

    def log_name(self, handle: ProcessHandle) -> str:
        server = self._servers.get(handle)
        return server.record.run if server is not None else ""

    def diagnose(self, end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
        return diagnose(end, log, served=served)

    def take_lost(self) -> Sequence[LostServer]:
        lost, self._lost = self._lost, []
        return lost
