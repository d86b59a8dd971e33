"""Owns the list of all servers: decides which start is a new one, and sends them the user's orders."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.domain.documents.settings import DEFAULT_STOP_GRACE_S, LOAD_STALL_S
from gglib_desktop.domain.errors import ProcessError, RunnerUnavailable
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import Crashed, Ended, Loading, ServerState, Starting, Unreachable, handle_of
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import LostServer, ServerMonitor, UnreachableServer
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import (
    ServerChanged,
    ServerContext,
    ServerRemoved,
    ServersAdopted,
    ServerSnapshot,
    SupervisorEvent,
)
from gglib_desktop.tasks import ErrorReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.services.servers.server import Server

_log = logging.getLogger(__name__)


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

    def running_at(self, wanted: Callable[[str], bool]) -> int:
        """How many of them at the places for which ``wanted`` is true."""
        return sum(server.is_live and wanted(server.snapshot.config.place) for server in self._servers.values())

    @property
    def names_taken(self) -> frozenset[str]:
        """The names of the living servers for clients, as far as their command lines show them."""
        return frozenset(name for server in self._servers.values() if server.is_live for name in server.names)

    def has_live_server(self, model_id: int) -> bool:
        return any(server.is_live for server in self._of_model(model_id))

    def has_server_at(self, place: str) -> bool:
        """Whether one lives at a place, or may live there, as far as is known."""
        return any(each.config.place == place and not isinstance(each.state, Ended) for each in self.servers)

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


async def _never_restart(_model_id: int) -> RestartPolicy:
    return RestartPolicy.NEVER


async def _not_examined(path: Path) -> ModelFile:
    return ModelFile(path)


class Supervisor(ServerList):
    """The one owner of the servers. Its methods are called on the event loop; states come only from observation.

    ``monitor`` reads the logs and keys of its servers.
    """

    def __init__(
        self,
        runner: ProcessRunner,
        monitor: ServerMonitor,
        reporter: ErrorReporter,
        *,
        stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
        load_stall_s: float = LOAD_STALL_S,
        restart_policy: Callable[[int], Awaitable[RestartPolicy]] = _never_restart,
        examine_model: Callable[[Path], Awaitable[ModelFile]] = _not_examined,
    ) -> None:
        """``restart_policy`` is asked with the id of a model, after a crash."""
        super().__init__()
        self.monitor = monitor
        self._runner = runner
        self._scope = TaskScope(reporter)
        self._context = ServerContext(
            runner,
            monitor,
            self._scope,
            self._events,
            stop_grace_s=stop_grace_s,
            load_stall_s=load_stall_s,
            restart_policy=restart_policy,
            examine_model=examine_model,
        )
        self._is_ending = False
        self._follows_finds = False

    @property
    def visible(self) -> bool:
        """Whether the user sees the servers; if not, healthy ones are asked less often."""
        return self._context.visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._context.set_visible(visible)

    @property
    def is_ending(self) -> bool:
        """The program ends, so nothing may be started any more."""
        return self._is_ending

    def refuse_starts(self) -> None:
        """Requests from now on come too late."""
        self._is_ending = True

    async def adopt(self) -> int:
        """Takes over the servers that an earlier run left, and returns how many. Raises: RunnerUnavailable.

        Those that have ended meanwhile are shown as crashed, and not started again.
        """
        running = await self._runner.list_running()
        if not self._follows_finds:
            self._follows_finds = True
            self.monitor.on_found(self._on_found)
        handles = [handle for handle in running if self._with_process(handle) is None]
        # First those that run: nothing about the others may keep them from being shown.
        for handle in handles:
            self.take_over(handle)
        try:
            for server in self.monitor.unreachable():
                self._add_unreachable(server)
            for lost in self.monitor.take_lost():
                await self._add_lost(lost)
        finally:
            self._events.emit(ServersAdopted(len(handles)))
        return len(handles)

    def _on_found(self) -> None:
        self._scope.start(self._adopt_more(), name="adopt more")

    async def _adopt_more(self) -> None:
        with contextlib.suppress(RunnerUnavailable):  # it is being left
            await self.adopt()

    async def _add_lost(self, lost: LostServer) -> None:
        from gglib_desktop.services.servers.failure_diagnosis import failure_in_full

        now = time.time()
        failure = await failure_in_full(self._context, lost.config, lost.log_name, lost.end, served=True)
        crashed = Crashed(now, failure)
        if (waiting := self._out_of_reach(lost.log_name)) is not None:
            waiting.show_end(crashed)
            return
        server = self._new_server(
            lost.config, crashed, adopted=True, command_line=lost.command_line, log_name=lost.log_name
        )
        self._events.emit(ServerChanged(server.snapshot))

    def _add_unreachable(self, found: UnreachableServer) -> None:
        if (waiting := self._out_of_reach(found.log_name)) is not None:
            waiting.show_reason(found.reason)
            return
        if any(server.snapshot.log_name == found.log_name for server in self._servers.values()):
            return
        server = self._new_server(
            found.config,
            Unreachable(time.time(), found.config.place, found.reason),
            adopted=True,
            command_line=found.command_line,
            log_name=found.log_name,
        )
        self._events.emit(ServerChanged(server.snapshot))

    def _out_of_reach(self, log_name: str) -> Server | None:
        """The server with this log whose place had not answered."""
        return next(
            (
                server
                for server in self._servers.values()
                if isinstance(server.snapshot.state, Unreachable) and server.snapshot.log_name == log_name
            ),
            None,
        )

    def take_over(self, handle: ProcessHandle) -> int:
        """Watches a running server that the runner knows; returns its id."""
        server = self._with_process(handle)
        if server is None:
            known = self.monitor.describe(handle)
            server = self._out_of_reach(known.log_name)
            if server is None:
                server = self._new_server(known.config, Loading(handle, handle.started_at), adopted=True)
            server.follow(handle)
        return server.snapshot.id

    def start(self, config: ServerConfig, *, another: bool = False) -> int:
        """Starts a server and returns its id at once.

        A model with a live server is not started again unless ``another``; the place of an ended one is reused.
        """
        same = self._of_model(config.model_id)
        live = [server for server in same if server.is_live]
        if live and not another:
            return live[0].snapshot.id
        ended = [server for server in same if isinstance(server.snapshot.state, Ended)]
        server = ended[0] if ended else self._new_server(config, Starting(time.time()))
        server.begin(config)
        return server.snapshot.id

    async def try_out(self, server_id: int, config: ServerConfig) -> None:
        """Like ``restart`` on trial, but nothing is stopped if the start is known to fail."""
        server = self._servers.get(server_id)
        # Its panel may be dismissed before or during the look.
        if server is not None and not await server.refuses(config) and server_id in self._servers:
            self.restart(server_id, config, on_trial=True)

    def restart(self, server_id: int, config: ServerConfig | None = None, *, on_trial: bool = False) -> None:
        """Stops the server if it runs and starts it again, with another configuration if one is given.

        ``on_trial``: if a running server does not start with it, it returns to its last healthy configuration.
        """
        server = self._servers[server_id]
        if not self._is_ending:
            server.restart(config or server.snapshot.config, on_trial=on_trial)

    async def stop(self, server_id: int) -> None:
        """Stops a server, or a current or planned start; returns when it has ended.

        Raises: StopFailed, RunnerUnavailable while its place cannot be reached.
        """
        await self._servers[server_id].stop()

    async def stop_all(self, wanted: Callable[[str], bool] = lambda _place: True) -> None:
        """Stops every server at the places for which ``wanted`` is true, all at the same time."""
        stops = [server.stop() for server in self._servers.values() if wanted(server.snapshot.config.place)]
        for result in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(result, ProcessError):
                _log.warning("%s", result)
            elif isinstance(result, BaseException):
                raise result

    async def kill(self, server_id: int) -> None:
        """Ends a server without grace. Raises: StopFailed."""
        await self._servers[server_id].kill()

    def stop_trying(self, server_id: int) -> None:
        """A crashed server that waits for its next start stays crashed."""
        self._servers[server_id].stop_trying()

    def dismiss(self, server_id: int) -> None:
        """Forgets an ended server; a live one stays."""
        server = self._servers[server_id]
        if not server.is_live:
            server.end_waiting()
            self._remove(server_id)

    async def aclose(self) -> None:
        """Ends all watching. Servers go on; pending starts are cancelled."""
        await self._scope.aclose()

    def _new_server(
        self,
        config: ServerConfig,
        state: ServerState,
        *,
        adopted: bool = False,
        command_line: str = "",
        log_name: str = "",
    ) -> Server:
        from gglib_desktop.services.servers.server import Server

        number = self._number_for(config.model_name)
        snapshot = ServerSnapshot(
            self._next_id, number, config, state, adopted=adopted, command_line=command_line, log_name=log_name
        )
        server = Server(snapshot, self._context)
        self._add(server)
        return server
