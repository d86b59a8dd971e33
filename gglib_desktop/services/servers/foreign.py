"""Looks after the llama-servers on this computer that other programs started."""

from __future__ import annotations

import asyncio
import logging

from gglib_desktop.domain.errors import NotRunning, ProcessError
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.ports.servers.foreign_servers import ForeignServers
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
LOOK_INTERVAL_S = 10.0


class ForeignWatch:
    """Looks for them from time to time while the user sees the result, and on request.

    Reports ``servers`` each time they change. Ignored ones are left out for as long as the program runs.
    """

    def __init__(
        self,
        foreign: ForeignServers,
        supervisor: Supervisor,
        library: Library,
        scope: TaskScope,
        *,
        interval_s: float = LOOK_INTERVAL_S,
    ) -> None:
        self._foreign = foreign
        self._supervisor = supervisor
        self._library = library
        self._scope = scope
        self._interval_s = interval_s
        self._found: tuple[ForeignServer, ...] = ()
        self._ignored: set[tuple[int, str]] = set()
        self._visible = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._events: EventSource[tuple[ForeignServer, ...]] = EventSource()
        self.subscribe = self._events.add

    @property
    def servers(self) -> tuple[ForeignServer, ...]:
        """As they were at the last look, oldest first."""
        return tuple(server for server in self._found if _key(server) not in self._ignored)

    def begin(self) -> None:
        """Looks regularly from now on, until the scope is closed."""
        if self._watching is None:
            self._watching = self._scope.start(self._watch(), name="watch foreign servers")

    def set_visible(self, visible: bool) -> None:
        """Whether the user sees the result; if not, there are no regular looks."""
        if visible:
            self._visible.set()
        else:
            self._visible.clear()

    async def look(self, *, at_all: bool = False) -> tuple[ForeignServer, ...]:
        """Looks now. ``at_all``: also at ignored ones. Raises: RunnerUnavailable."""
        async with self._looking:
            found = tuple(await self._foreign.list_foreign())
            before = self.servers
            if at_all:
                self._ignored.clear()
            # Servers that are gone need not be remembered.
            self._ignored &= {_key(server) for server in found}
            self._show(before, found)
        return self.servers

    def ignore(self, server: ForeignServer) -> None:
        """Leaves that process out from now on."""
        before = self.servers
        self._ignored.add(_key(server))
        self._show(before, self._found)

    async def adopt(self, server: ForeignServer) -> int:
        """Makes it one of our servers and returns its id. Raises: like ForeignServers.adopt."""
        model = next((model for model in self._library.models if model.path == server.model_path), None)
        try:
            handle = await self._foreign.adopt(
                server, model_id=model.id if model else None, model_name=model.name if model else None
            )
            server_id = self._supervisor.take_over(handle)
        finally:
            await self.look()
        return server_id

    async def stop(self, server: ForeignServer) -> None:
        """Ends that one process; returns quietly if it was gone. Raises: StopFailed, RunnerUnavailable."""
        try:
            await self._foreign.stop_foreign(server)
        except NotRunning:
            _log.info("process %s had ended by itself", server.pid)
        finally:
            await self.look()

    async def _watch(self) -> None:
        while True:
            await self._visible.wait()
            try:
                await self.look()
            except ProcessError as exc:
                # A failed look is not news every few seconds; callers that ask get the reason.
                _log.debug("%s", exc)
            await asyncio.sleep(self._interval_s)

    def _show(self, before: tuple[ForeignServer, ...], found: tuple[ForeignServer, ...]) -> None:
        self._found = found
        if self.servers != before:
            self._events.emit(self.servers)


def _key(server: ForeignServer) -> tuple[int, str]:
    return server.pid, server.identity
