"""Owns all servers: which there are, which start is a new one, and what happens to them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gglib_desktop.domain.errors import ProcessError
from gglib_desktop.domain.options.client_names import names_said
from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import (
    Crashed,
    Loading,
    ServerState,
    Starting,
    Stopping,
    Unresponsive,
    handle_of,
)
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import LogChunk, LostServer, ServerMonitor
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import LifeContext, ServerSnapshot
from gglib_desktop.tasks import ErrorReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.services.servers.life import ServerLife

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerChanged:
    """A server is new, or something about it changed."""

    snapshot: ServerSnapshot


@dataclass(frozen=True)
class ServerRemoved:
    """A server's panel was dismissed."""

    id: int


@dataclass(frozen=True)
class ServersAdopted:
    """Servers of an earlier run of the program were found alive."""

    count: int


SupervisorEvent = ServerChanged | ServerRemoved | ServersAdopted


class Supervisor:
    """The one owner of what runs. Its methods are called on the event loop; states come from observation alone."""

    def __init__(
        self, runner: ProcessRunner, monitor: ServerMonitor, reporter: ErrorReporter, **life_options: Any
    ) -> None:
        """``life_options`` are the optional fields of LifeContext: grace, stall limit, restart policy."""
        self._runner = runner
        self._monitor = monitor
        self._scope = TaskScope(reporter)
        self._context = LifeContext(runner, monitor, self._scope, self._on_changed, **life_options)
        self._lives: dict[int, ServerLife] = {}
        self._next_id = 1
        self._is_ending = False
        self._events: EventSource[SupervisorEvent] = EventSource()
        self.subscribe: Callable[[Callable[[SupervisorEvent], None]], Callable[[], None]] = self._events.add

    @property
    def servers(self) -> tuple[ServerSnapshot, ...]:
        """In the order in which their panels appeared."""
        return tuple(life.snapshot for life in self._lives.values())

    def server(self, server_id: int) -> ServerSnapshot:
        return self._lives[server_id].snapshot

    @property
    def running(self) -> int:
        """How many servers live, those that start or stop included."""
        return sum(life.is_live for life in self._lives.values())

    @property
    def names_taken(self) -> frozenset[str]:
        """By which clients call the servers that live, as far as their command lines tell."""
        lines = (life.snapshot.command_line for life in self._lives.values() if life.is_live)
        return frozenset(name for line in lines for name in names_said(line))

    @property
    def visible(self) -> bool:
        """Whether somebody sees the servers; if not, healthy ones are asked less often."""
        return self._context.visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._context.set_visible(visible)

    @property
    def is_ending(self) -> bool:
        """The program ends, so nothing is to be started any more."""
        return self._is_ending

    def refuse_starts(self) -> None:
        """What is asked for from now on comes too late."""
        self._is_ending = True

    def has_live_server(self, model_id: int) -> bool:
        return any(life.is_live for life in self._lives_of(model_id))

    async def adopt(self) -> int:
        """Takes over the servers that an earlier run left, and returns how many. Raises: RunnerUnavailable.

        Those that have ended meanwhile are shown as crashed, and not started again.
        """
        running = await self._runner.list_running()
        known = {handle_of(life.snapshot.state) for life in self._lives.values()}
        handles = [handle for handle in running if handle not in known]
        for lost in self._monitor.take_lost():
            await self._tell_of_lost(lost)
        for handle in handles:
            self.take_over(handle)
        if handles:
            self._events.emit(ServersAdopted(len(handles)))
        return len(handles)

    async def _tell_of_lost(self, lost: LostServer) -> None:
        crashed = Crashed(time.time(), Failure(FailureCause.UNKNOWN, str(lost.end), (), lost.end))
        life = self._new_life(lost.config, crashed)
        life.snapshot = replace(life.snapshot, adopted=True, command_line=lost.command_line, log_name=lost.log_name)
        from gglib_desktop.services.servers.failure_diagnosis import explain_exit  # noqa: PLC0415  # as ServerLife

        failure = await explain_exit(self._context, life.snapshot, lost.end, ready=True)
        life.snapshot = replace(life.snapshot, state=replace(crashed, failure=failure))
        self._on_changed(life.snapshot)

    def take_over(self, handle: ProcessHandle) -> int:
        """Watches a server that runs already and that the runner knows; returns its id."""
        for life in self._lives.values():
            if handle_of(life.snapshot.state) == handle:
                return life.snapshot.id
        config = self._monitor.config(handle)
        assert config is not None, "a listed server has a record"
        life = self._new_life(config, Loading(handle, handle.started_at))
        life.adopt(handle)
        return life.snapshot.id

    def start(self, config: ServerConfig, *, another: bool = False) -> int:
        """Starts a server and returns its id at once.

        A model that has a live server is not started again unless ``another``; an ended one's place is used again.
        """
        same = self._lives_of(config.model_id)
        live = [life for life in same if life.is_live]
        if live and not another:
            return live[0].snapshot.id
        ended = [life for life in same if not life.is_live]
        life = ended[0] if ended else self._new_life(config, Starting(time.time()))
        life.begin(config)
        return life.snapshot.id

    async def try_out(self, server_id: int, config: ServerConfig) -> None:
        """As ``restart`` on trial; but nothing is stopped for what is known beforehand not to start."""
        life = self._lives.get(server_id)
        if life is None:
            return  # its panel was dismissed meanwhile
        state, refusal = life.snapshot.state, None
        handle = handle_of(state)
        if handle is not None and not isinstance(state, Stopping | Unresponsive):
            try:
                await self._monitor.check(config, instead_of=handle)
            except ProcessError as exc:
                from gglib_desktop.domain.servers.diagnosis import failure_of_error  # noqa: PLC0415  # as the lives

                refusal = failure_of_error(exc)
        if not self._is_ending and life in self._lives.values():
            life.restart(config, on_trial=True, refusal=refusal)

    def restart(self, server_id: int, config: ServerConfig | None = None, *, on_trial: bool = False) -> None:
        """Stops the server if it runs and starts it again, with another configuration if one is given.

        ``on_trial``: if a running server does not start with that one, it returns to the last one that was healthy.
        """
        if self._is_ending:
            return
        life = self._lives[server_id]
        life.restart(config or life.snapshot.config, on_trial=on_trial)

    async def stop(self, server_id: int) -> None:
        """Stops a server, or a start under way or planned; returns when it has ended. Raises: StopFailed."""
        await self._lives[server_id].stop()

    async def stop_all(self) -> None:
        """Stops every server, all at the same time."""
        stops = [life.stop() for life in self._lives.values()]
        for result in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(result, ProcessError):
                _log.warning("%s", result)
            elif isinstance(result, BaseException):
                raise result

    async def kill(self, server_id: int) -> None:
        """Ends a server without grace. Raises: StopFailed."""
        await self._lives[server_id].kill()

    def stop_trying(self, server_id: int) -> None:
        """A crashed server that waits for its next start stays crashed."""
        self._lives[server_id].stop_trying()

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        """As ServerMonitor's, for views of a log."""
        return await self._monitor.read_log(log_name, offset, limit_bytes)

    def api_key(self, server_id: int) -> str | None:
        """The key that clients of a server must show; None when it wants none, or one that is not known."""
        handle = handle_of(self._lives[server_id].snapshot.state)
        return self._monitor.api_key(handle) if handle is not None else None

    def dismiss(self, server_id: int) -> None:
        """Forgets an ended server; a live one stays."""
        life = self._lives[server_id]
        if not life.is_live:
            life.stop_trying()
            del self._lives[server_id]
            self._events.emit(ServerRemoved(server_id))

    async def aclose(self) -> None:
        """Ends all watching. Servers go on; starts under way are cancelled."""
        await self._scope.aclose()

    def _lives_of(self, model_id: int) -> list[ServerLife]:
        return [life for life in self._lives.values() if life.snapshot.config.model_id == model_id]

    def _new_life(self, config: ServerConfig, state: ServerState) -> ServerLife:
        namesakes = (life.snapshot for life in self._lives.values())
        numbers = {snapshot.number for snapshot in namesakes if snapshot.config.model_name == config.model_name}
        number = next(n for n in range(1, len(numbers) + 2) if n not in numbers)
        from gglib_desktop.services.servers.life import ServerLife  # noqa: PLC0415  # loaded after the window is there

        life = ServerLife(ServerSnapshot(self._next_id, number, config, state), self._context)
        self._lives[self._next_id] = life
        self._next_id += 1
        return life

    def _on_changed(self, snapshot: ServerSnapshot) -> None:
        self._events.emit(ServerChanged(snapshot))
