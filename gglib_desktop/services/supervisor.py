"""Owns every server's state: starts, watches and stops servers, and tells what happens to them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gglib_desktop.domain.errors import HealthCheckFailed, NotRunning, ProcessError, StartFailed
from gglib_desktop.domain.exits import ServerExit
from gglib_desktop.domain.failures import Failure, failure_of_error, failure_of_exit
from gglib_desktop.domain.health import (
    HIDDEN_INTERVAL_S,
    LOAD_STALL_S,
    PROBE_TIMEOUT_S,
    HealthTracker,
    ProbeResult,
    Usage,
)
from gglib_desktop.domain.log_text import text_lines
from gglib_desktop.domain.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.settings import DEFAULT_STOP_GRACE_S
from gglib_desktop.domain.states import (
    Crashed,
    Failed,
    Loading,
    Running,
    ServerState,
    Starting,
    Stopped,
    Stopping,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.ports.process_runner import ProcessRunner
from gglib_desktop.ports.server_monitor import LogChunk, ServerFacts, ServerMonitor
from gglib_desktop.services.listeners import Listeners
from gglib_desktop.tasks import ErrorReporter, TaskScope

_log = logging.getLogger(__name__)
_LOG_TAIL_BYTES = 64 * 1024
_SECOND_GRACE_S = 1.0
_ACTIVE_CPU_S = 0.02


@dataclass(frozen=True)
class ServerSnapshot:
    """All that is known of one server now. ``number`` tells servers of one model apart: 1, 2, …"""

    id: int
    number: int
    config: ServerConfig
    state: ServerState
    adopted: bool = False
    endpoint: str = ""
    command_line: str = ""
    log_name: str = ""
    facts: ServerFacts | None = None
    busy_slots: int | None = None
    rss_bytes: int | None = None


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


class _Entry:
    """One server and the tasks that drive it."""

    def __init__(self, snapshot: ServerSnapshot) -> None:
        self.snapshot = snapshot
        self.life: asyncio.Task[None] | None = None
        self.start: asyncio.Task[ProcessHandle] | None = None
        self.stop: asyncio.Task[None] | None = None
        self.stopping = False
        self.next_config: ServerConfig | None = None
        self.failure: Failure | None = None


class Supervisor:
    """The one owner of what runs. Its methods are called on the event loop; states come from observation alone."""

    def __init__(
        self,
        runner: ProcessRunner,
        monitor: ServerMonitor,
        reporter: ErrorReporter,
        *,
        stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
        load_stall_s: float = LOAD_STALL_S,
    ) -> None:
        self._runner = runner
        self._monitor = monitor
        self._scope = TaskScope(reporter)
        self._stop_grace_s = stop_grace_s
        self._load_stall_s = load_stall_s
        self._entries: dict[int, _Entry] = {}
        self._usual_load_s: dict[int, float] = {}
        self._next_id = 1
        self._listeners: Listeners[SupervisorEvent] = Listeners()
        self.subscribe = self._listeners.add
        self.visible = True

    @property
    def servers(self) -> tuple[ServerSnapshot, ...]:
        """In the order in which their panels appeared."""
        return tuple(entry.snapshot for entry in self._entries.values())

    def server(self, server_id: int) -> ServerSnapshot:
        return self._entries[server_id].snapshot

    @property
    def running(self) -> int:
        """How many servers live, those that start or stop included."""
        return sum(is_live(snapshot.state) for snapshot in self.servers)

    def has_live_server(self, model_id: int) -> bool:
        return any(s.config.model_id == model_id and is_live(s.state) for s in self.servers)

    async def adopt(self) -> int:
        """Takes over the servers that an earlier run left, and returns how many. Raises: RunnerUnavailable."""
        known = {handle_of(entry.snapshot.state) for entry in self._entries.values()}
        handles = [handle for handle in await self._runner.list_running() if handle not in known]
        for handle in handles:
            config = self._monitor.config(handle)
            assert config is not None, "a listed server has a record"
            entry = self._new_entry(config, Loading(handle, handle.started_at))
            self._update(entry, adopted=True)
            entry.life = self._scope.start(self._live(entry, handle), name=f"server {entry.snapshot.id}")
        if handles:
            self._listeners.tell(ServersAdopted(len(handles)))
        return len(handles)

    def start(self, config: ServerConfig, *, another: bool = False) -> int:
        """Starts a server and returns its id at once.

        A model that has a live server is not started again unless ``another``; an ended one's place is used again.
        """
        same = [entry for entry in self._entries.values() if entry.snapshot.config.model_id == config.model_id]
        live = [entry for entry in same if is_live(entry.snapshot.state)]
        if live and not another:
            return live[0].snapshot.id
        ended = [entry for entry in same if entry not in live]
        entry = ended[0] if ended else self._new_entry(config, Starting(time.time()))
        self._begin(entry, config)
        return entry.snapshot.id

    def restart(self, server_id: int, config: ServerConfig | None = None) -> None:
        """Stops the server if it runs and starts it again, with another configuration if one is given."""
        entry = self._entries[server_id]
        config = config or entry.snapshot.config
        if is_live(entry.snapshot.state):
            entry.next_config = config
            self._ask_to_stop(entry)
        else:
            self._begin(entry, config)

    async def stop(self, server_id: int) -> None:
        """Stops a server, or a start under way; returns when it has ended. Raises: StopFailed."""
        entry = self._entries[server_id]
        entry.next_config = None
        if entry.life is None or not is_live(entry.snapshot.state):
            return
        self._ask_to_stop(entry)
        awaited = {task for task in (entry.life, entry.stop) if task is not None}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_EXCEPTION)
        if entry.stop is not None and entry.stop.done() and not entry.stop.cancelled():
            entry.stop.result()

    async def stop_all(self) -> None:
        """Stops every server, all at the same time."""
        results = await asyncio.gather(*(self.stop(server_id) for server_id in self._entries), return_exceptions=True)
        for result in results:
            if isinstance(result, ProcessError):
                _log.warning("%s", result)
            elif isinstance(result, BaseException):
                raise result

    async def kill(self, server_id: int) -> None:
        """Ends a server without grace. Raises: StopFailed."""
        entry = self._entries[server_id]
        handle = handle_of(entry.snapshot.state)
        entry.next_config = None
        if handle is not None:
            entry.stopping = True
            await self._monitor.kill(handle)

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        """As ServerMonitor's, for views of a log."""
        return await self._monitor.read_log(log_name, offset, limit_bytes)

    def dismiss(self, server_id: int) -> None:
        """Forgets an ended server; a live one stays."""
        if not is_live(self._entries[server_id].snapshot.state):
            del self._entries[server_id]
            self._listeners.tell(ServerRemoved(server_id))

    async def aclose(self) -> None:
        """Ends all watching. Servers go on; starts under way are cancelled."""
        await self._scope.aclose()

    # -- one server's life

    def _new_entry(self, config: ServerConfig, state: ServerState) -> _Entry:
        numbers = {
            e.snapshot.number for e in self._entries.values() if e.snapshot.config.model_name == config.model_name
        }
        number = next(n for n in range(1, len(numbers) + 2) if n not in numbers)
        entry = _Entry(ServerSnapshot(self._next_id, number, config, state))
        self._entries[self._next_id] = entry
        self._next_id += 1
        return entry

    def _begin(self, entry: _Entry, config: ServerConfig) -> None:
        old = entry.snapshot
        entry.snapshot = ServerSnapshot(old.id, old.number, config, Starting(time.time()), log_name=old.log_name)
        entry.stopping, entry.stop, entry.failure = False, None, None
        self._listeners.tell(ServerChanged(entry.snapshot))
        entry.life = self._scope.start(self._live(entry, None), name=f"server {old.id}")

    async def _live(self, entry: _Entry, adopted: ProcessHandle | None) -> None:
        handle = adopted or await self._start(entry)
        if handle is not None:
            await self._watch(entry, handle)
        config, entry.next_config = entry.next_config, None
        if config is not None:
            self._begin(entry, config)

    async def _start(self, entry: _Entry) -> ProcessHandle | None:
        """The started process, or None after Failed or, when the start was called off, Stopped."""
        if isinstance(entry.snapshot.state, Stopping):
            # Asked before this task had its first step: there is no start to cancel.
            self._update(entry, state=Stopped(time.time()))
            return None
        entry.start = self._scope.start(self._runner.start(entry.snapshot.config), name="start")
        await asyncio.wait({entry.start})
        try:
            return entry.start.result()
        except asyncio.CancelledError:
            self._update(entry, state=Stopped(time.time()))
        except ProcessError as exc:
            if isinstance(exc, StartFailed):
                self._update(entry, log_name=exc.log_name)
            ended = Stopped(time.time()) if entry.stopping else Failed(time.time(), failure_of_error(exc))
            self._update(entry, state=ended)
        finally:
            entry.start = None
        return None

    async def _watch(self, entry: _Entry, handle: ProcessHandle) -> None:
        """Follows a process to its end."""
        since = handle.started_at if entry.snapshot.adopted else None
        usual_s = self._usual_load_s.get(handle.model_id)
        tracker = HealthTracker.begin(handle, time.time(), since=since, usual_s=usual_s)
        before = entry.snapshot.state
        self._update(
            entry,
            # A start that succeeded in the moment in which it was called off is being stopped already.
            state=replace(before, handle=handle) if isinstance(before, Stopping) else tracker.state,
            endpoint=self._monitor.endpoint(handle),
            command_line=self._monitor.command_line(handle),
            log_name=self._monitor.log_name(handle),
        )
        exit_task = self._scope.start(self._monitor.wait_exit(handle), name="exit")
        while not exit_task.done():
            asked_at = time.monotonic()
            tracker = await self._look(entry, tracker, exit_task)
            pause = self._interval_s(tracker) - (time.monotonic() - asked_at)
            await asyncio.wait({exit_task}, timeout=max(0.0, pause))
        await self._ended(entry, tracker, exit_task.result())

    def _interval_s(self, tracker: HealthTracker) -> float:
        calm = tracker.ready and not tracker.missed and not tracker.busy
        return HIDDEN_INTERVAL_S if calm and not self.visible else tracker.interval_s

    async def _look(self, entry: _Entry, tracker: HealthTracker, exit_task: asyncio.Task[ServerExit]) -> HealthTracker:
        """Asks once how the server is, unless it ends first."""
        handle = tracker.handle
        before = await self._monitor.usage(handle)
        question = self._scope.start(self._monitor.probe(handle, PROBE_TIMEOUT_S), name="probe")
        await asyncio.wait({question, exit_task}, return_when=asyncio.FIRST_COMPLETED)
        if exit_task.done():
            question.cancel()
            return tracker
        probe = question.result()
        after = await self._monitor.usage(handle)
        now = time.time()
        following = tracker.observe(probe, before, after, now)
        if entry.stopping:
            return following
        if following.stalled_for(now) > self._load_stall_s:
            self._give_up(entry, following)
        if following.ready and not tracker.ready:
            await self._became_ready(entry, tracker.state, now)
        busy = await self._busy_slots(handle, tracker.usage, after) if probe.result is ProbeResult.OK else None
        if not entry.stopping:
            known = entry.snapshot.busy_slots if busy is None else busy
            self._update(entry, state=following.state, busy_slots=known, rss_bytes=after.rss_bytes if after else None)
        return following

    async def _became_ready(self, entry: _Entry, state: Running, now: float) -> None:
        handle = state.handle
        if isinstance(state, Loading) and not entry.snapshot.adopted:
            self._usual_load_s[handle.model_id] = now - state.since
        self._update(entry, facts=await self._monitor.facts(handle))

    async def _busy_slots(self, handle: ProcessHandle, before: Usage | None, after: Usage | None) -> int | None:
        """Asked only of a server that used CPU time since the last look: the others do nothing, and asking costs."""
        idle = before is not None and after is not None and after.cpu_s - before.cpu_s < _ACTIVE_CPU_S
        return 0 if idle else await self._monitor.busy_slots(handle)

    def _give_up(self, entry: _Entry, tracker: HealthTracker) -> None:
        error = HealthCheckFailed(f"no progress while loading for {self._load_stall_s:g} s")
        entry.failure = failure_of_error(error)
        entry.stopping = True
        entry.stop = self._scope.start(self._monitor.kill(tracker.handle), name="give up")

    async def _ended(self, entry: _Entry, tracker: HealthTracker, end: ServerExit) -> None:
        now = time.time()
        if entry.failure is not None:
            self._update(entry, state=Failed(now, entry.failure), busy_slots=None, rss_bytes=None)
            return
        if entry.stopping or end.asked_for:
            self._update(entry, state=Stopped(now, end), busy_slots=None, rss_bytes=None)
            return
        tail = await self._monitor.read_log(entry.snapshot.log_name, -_LOG_TAIL_BYTES, _LOG_TAIL_BYTES)
        failure = failure_of_exit(end, text_lines(tail.data))
        ended = Crashed(now, failure) if tracker.ready else Failed(now, failure)
        _log.warning("%s: %s, %s", entry.snapshot.config.model_name, ended.word, end)
        self._update(entry, state=ended, busy_slots=None, rss_bytes=None)

    # -- stopping

    def _ask_to_stop(self, entry: _Entry) -> None:
        if entry.stop is not None and not entry.stop.done():
            return
        entry.stopping = True
        handle = handle_of(entry.snapshot.state)
        now = time.time()
        self._update(entry, state=Stopping(handle, now, now + self._stop_grace_s() + _SECOND_GRACE_S))
        entry.stop = self._scope.start(self._stop(entry, handle), name="stop")

    async def _stop(self, entry: _Entry, handle: ProcessHandle | None) -> None:
        if entry.start is not None:
            handle = await _call_off(entry.start)
        if handle is None:
            return
        try:
            await self._runner.stop(handle)
        except NotRunning:
            return
        except ProcessError as exc:
            entry.stopping, entry.next_config = False, None
            self._update(entry, state=Unresponsive(handle, time.time(), str(exc)))
            raise

    def _update(self, entry: _Entry, **changes: object) -> None:
        snapshot = replace(entry.snapshot, **changes)  # type: ignore[arg-type]
        if snapshot != entry.snapshot:
            entry.snapshot = snapshot
            self._listeners.tell(ServerChanged(snapshot))


async def _call_off(start: asyncio.Task[ProcessHandle]) -> ProcessHandle | None:
    """Cancels a start. Gives the process if the start had just succeeded."""
    start.cancel()
    await asyncio.wait({start})
    return None if start.cancelled() or start.exception() is not None else start.result()
