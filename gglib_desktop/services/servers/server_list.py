"""The list of servers, and the news about them for subscribers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import handle_of
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import ServerRemoved, ServerSnapshot, SupervisorEvent

if TYPE_CHECKING:
    from gglib_desktop.services.servers.server import Server


class ServerList:
    """The servers with a panel, in the order in which their panels appeared."""

    def __init__(self) -> None:
        self._servers: dict[int, Server] = {}
        self._next_id = 1
        self._events: EventSource[SupervisorEvent] = EventSource()
        self.subscribe: Callable[[Callable[[SupervisorEvent], None]], Callable[[], None]] = self._events.add

    @property
    def servers(self) -> tuple[ServerSnapshot, ...]:
        return tuple(server.snapshot for server in self._servers.values())

    def server(self, server_id: int) -> ServerSnapshot:
        return self._servers[server_id].snapshot

    @property
    def running(self) -> int:
        """How many servers live, including those that start or stop."""
        return sum(server.is_live for server in self._servers.values())

    @property
    def names_taken(self) -> frozenset[str]:
        """The names of the living servers for clients, as far as their command lines show them."""
        return frozenset(name for server in self._servers.values() if server.is_live for name in server.names)

    def has_live_server(self, model_id: int) -> bool:
        return any(server.is_live for server in self._of_model(model_id))

    def _of_model(self, model_id: int) -> list[Server]:
        return [server for server in self._servers.values() if server.snapshot.config.model_id == model_id]

    def _with_process(self, handle: ProcessHandle) -> Server | None:
        return next((each for each in self._servers.values() if handle_of(each.snapshot.state) == handle), None)

    def _number_for(self, model_name: str) -> int:
        """The first number that no other server of that name has."""
        taken = {server.number for server in self.servers if server.config.model_name == model_name}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)

    def _add(self, server: Server) -> None:
        self._servers[server.snapshot.id] = server
        self._next_id = server.snapshot.id + 1

    def _remove(self, server_id: int) -> None:
        del self._servers[server_id]
        self._events.emit(ServerRemoved(server_id))
