"""One process of a server, from the start of it to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from gglib_desktop.domain.documents.settings import SECOND_GRACE_S
from gglib_desktop.domain.errors import HealthCheckFailed, NotRunning, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, HealthTracker, ProbeResult, Usage
from gglib_desktop.domain.servers.router.kind import stop_grace_s
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import (
    Crashed,
    Ended,
    Failed,
    Loading,
    Running,
    ServerState,
    Stopped,
    Stopping,
    Unresponsive,
    handle_of,
)
from gglib_desktop.services.servers.failure_diagnosis import failure_at_once, failure_in_full
from gglib_desktop.services.servers.snapshot import ServerChanged, ServerContext, ServerSnapshot, ServerUsed

_log = logging.getLogger(__name__)
# Of the 100 ms in which an end must be seen, even on a busy machine.
_EVIDENCE_WAIT_S = 0.03
_FACTS_ANSWERS = 2


class ServerRun:
    """Starts a process or follows a running one, and reports its state and its end.

    ``ready_at`` is the unix time of its first good answer. ``former_line`` is the command line of the server's last
    process, whose names for clients this one keeps.
    """

    def __init__(self, snapshot: ServerSnapshot, context: ServerContext, *, former_line: str = "") -> None:
        self.snapshot = snapshot
        self.former_line = former_line
        self.ready_at: float | None = None
        self._context = context
        self._start_task: asyncio.Task[ProcessHandle] | None = None
        self._stop_task: asyncio.Task[None] | None = None
        self._stopping = False
        self._before_stop: ServerState = snapshot.state
        self._watched = False
        self._given_up: Failure | None = None
        self._facts_answers = 0

    @property
    def survived(self) -> bool:
        """It was told to stop, and could not be ended."""
        stop = self._stop_task
        return stop is not None and stop.done() and not stop.cancelled() and stop.exception() is not None

    async def live(self, adopted: ProcessHandle | None = None) -> None:
        """Returns when it has ended and its state says why. ``adopted``: a process that already runs."""
        self._watched = True
        try:
            began_at = asyncio.get_running_loop().time()
            handle = adopted or await self._start()
            if handle is not None:
                await self._watch(handle, began_at)
        finally:
            self._watched = False

    def ask_to_stop(self) -> asyncio.Task[None]:
        """Begins to end it, unless it is being ended. The task raises StopFailed if it survives."""
        if self._stop_task is None or self._stop_task.done():
            self._stopping = True
            self._before_stop = self.snapshot.state
            handle = handle_of(self.snapshot.state)
            now, grace_s = time.time(), stop_grace_s(self.snapshot.config, self._context.stop_grace_s())
            self._become(Stopping(handle, now, now + grace_s + SECOND_GRACE_S))
            self._stop_task = self._context.scope.start(self._stop(handle), name="stop")
        return self._stop_task

    async def kill(self) -> None:
        """Ends it without grace. Raises: StopFailed."""
        handle = handle_of(self.snapshot.state)
        if handle is None:
            return
        self._stopping = True
        try:
            await self._context.monitor.kill(handle)
        except ProcessError as exc:
            if self._stop_task is None or self._stop_task.done():
                self._survive(handle, str(exc))
            raise

    def lose_sight(self, error: BaseException) -> None:
        """After a bug in the watching (the scope reports it) the panel says so, and can still stop the process."""
        reason = f"it is not watched any more, because of an error in this program: {error}"
        handle = handle_of(self.snapshot.state)
        if handle is None:
            self._become(Failed(time.time(), Failure(FailureCause.UNKNOWN, reason)))
        else:
            self._survive(handle, reason)

    def show(self, snapshot: ServerSnapshot) -> None:
        """Sets the state, and reports it if it is new."""
        if snapshot != self.snapshot:
            self.snapshot = snapshot
            self._context.events.emit(ServerChanged(snapshot))

    def _become(self, state: ServerState) -> None:
        self.show(replace(self.snapshot, state=state))

    # -- the start

    async def _start(self) -> ProcessHandle | None:
        """The started process. None after Failed or, if the start was cancelled, Stopped."""
        if isinstance(self.snapshot.state, Stopping):
            # Called before this task's first step: there is no start to cancel.
            self._become(Stopped(time.time()))
            return None
        config = self.snapshot.config
        config = config.named_as_before(self._context.monitor.names_said(config, self.former_line))
        self._start_task = self._context.scope.start(self._context.runner.start(config), name="start")
        await asyncio.wait({self._start_task})
        start, self._start_task = self._start_task, None
        if start.cancelled():
            self._become(Stopped(time.time()))
            return None
        error = start.exception()
        if error is None:
            return start.result()
        if isinstance(error, StartFailed):
            self.show(replace(self.snapshot, log_name=error.log_name, command_line=error.command_line))
        # The scope of the start has reported a bug; the panel must not say "Starting" forever.
        await self._fail(error, Failed)
        return None

    # -- watching

    async def _watch(self, handle: ProcessHandle, began_at: float) -> None:
        """Follows a process to its end."""
        monitor = self._context.monitor
        tracker = HealthTracker.begin(
            handle,
            time.time(),
            began_at=began_at,
            since=handle.started_at if self.snapshot.adopted else None,
            usual_s=self._context.usual_load_s.get(handle.model_id),
        )
        before, known = self.snapshot.state, monitor.describe(handle)
        self.show(
            replace(
                self.snapshot,
                # A start that succeeded at the moment of its cancellation is already being stopped.
                state=replace(before, handle=handle) if isinstance(before, Stopping) else tracker.shown,
                endpoint=known.endpoint,
                other_endpoints=known.other_endpoints,
                command_line=known.command_line,
                log_name=known.log_name,
            )
        )
        exit_task = self._context.scope.start(monitor.wait_exit(handle), name="exit")
        while not exit_task.done():
            asked_at = asyncio.get_running_loop().time()
            tracker = await self._look(tracker, exit_task)
            await self._pause(tracker, asked_at, exit_task)
        await self._end(exit_task.result(), ready=tracker.ready)

    async def _pause(self, tracker: HealthTracker, asked_at: float, exit_task: asyncio.Task[ServerExit]) -> None:
        """Until the next question is due, the process ends, or the user begins to look."""
        due = tracker.due_at(asked_at, self.snapshot.id, visible=self._context.visible)
        pause = max(0.0, due - asyncio.get_running_loop().time())
        if self._context.visible or not tracker.is_calm:
            await asyncio.wait({exit_task}, timeout=pause)
            return
        woken = self._context.scope.start(self._context.woken.wait(), name="hidden")
        await asyncio.wait({exit_task, woken}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _look(self, tracker: HealthTracker, exit_task: asyncio.Task[ServerExit]) -> HealthTracker:
        """Asks once for the server's health, unless it ends first."""
        handle, monitor = tracker.handle, self._context.monitor
        before = await monitor.usage(handle)
        question = self._context.scope.start(monitor.probe(handle, PROBE_TIMEOUT_S), name="probe")
        await asyncio.wait({question, exit_task}, return_when=asyncio.FIRST_COMPLETED)
        if exit_task.done():
            question.cancel()
            return tracker
        probe = question.result()
        # It is as well as before, and all is known that stays: the rest is asked when the user looks again.
        is_hidden = not self._context.visible and self._facts_answers >= _FACTS_ANSWERS
        unseen = is_hidden and tracker.is_calm and probe.result is ProbeResult.OK
        after = None if unseen else await monitor.usage(handle)
        now = time.time()
        if self.snapshot.adopted and probe.result is not ProbeResult.LOADING:
            tracker = tracker.adopted(now)
        following = tracker.observe(probe, before, after, now)
        if self._stopping:
            return following
        if following.stalled_for(now) > self._context.load_stall_s:
            self._give_up(handle)
        if unseen:
            self.show(replace(self.snapshot, state=following.shown))
            return following
        if probe.result is ProbeResult.OK:
            if self.ready_at is None:
                self._became_ready(tracker.state, now)
            await self._ask_for_facts(handle)
        self._observed(following, after)
        if probe.result is ProbeResult.OK and after is not None:
            self._context.events.emit(ServerUsed(self.snapshot.id, after))
        return following

    def _became_ready(self, state: Running, now: float) -> None:
        self.ready_at = now
        if isinstance(state, Loading) and not self.snapshot.adopted:
            self._context.usual_load_s[state.handle.model_id] = now - state.since

    async def _ask_for_facts(self, handle: ProcessHandle) -> None:
        """Until they are known, and once more: the log may be written a little after the server answers."""
        if self._facts_answers < _FACTS_ANSWERS:
            facts = await self._context.monitor.facts(handle)
            if facts is not None:
                self._facts_answers += 1
                self.show(replace(self.snapshot, facts=facts))

    def _observed(self, tracker: HealthTracker, usage: Usage | None) -> None:
        if not self._stopping:
            rss_bytes = usage.rss_bytes if usage and tracker.lost is None else None
            workers = tuple(self._context.monitor.workers(tracker.handle)) if self.snapshot.config.rpc_workers else ()
            self.show(replace(self.snapshot, state=tracker.shown, rss_bytes=rss_bytes, workers=workers))

    # -- the end

    async def _end(self, end: ServerExit, *, ready: bool) -> None:
        if self._given_up is not None:
            self._over(Failed(time.time(), self._given_up))
        elif self._stopping or end.asked_for:
            self._over(Stopped(time.time(), end))
        else:
            _log.warning("%s ended: %s", self.snapshot.config.model_name, end)
            await self._fail(end, Crashed if ready else Failed)

    async def _fail(self, why: ServerExit | BaseException, kind: type[Failed | Crashed]) -> None:
        """Reports the end at once, and the whole reason as soon as it is known."""
        now, config, log_name = time.time(), self.snapshot.config, self.snapshot.log_name
        finding = self._context.scope.start(
            failure_in_full(self._context, config, log_name, why, served=kind is Crashed), name="why it ended"
        )
        # A slow disk may delay the reason, but not the news.
        await asyncio.wait({finding}, timeout=_EVIDENCE_WAIT_S)
        if isinstance(self.snapshot.state, Stopping):
            finding.cancel()
            self._over(Stopped(now, why if isinstance(why, ServerExit) else None))
            return
        self._over(kind(now, finding.result() if finding.done() else self._failure_at_once(why)))
        self._over(kind(now, await finding))

    def _failure_at_once(self, why: ServerExit | BaseException) -> Failure:
        return failure_at_once(self._context.monitor.diagnose_for(self.snapshot.config), why)

    def _over(self, state: Ended) -> None:
        self.show(replace(self.snapshot, state=state, rss_bytes=None, workers=()))

    # -- ending it

    async def _stop(self, handle: ProcessHandle | None) -> None:
        if self._start_task is not None:
            handle = await _call_off(self._start_task)
        # The start may have succeeded between the wish to stop and this task's first step.
        handle = handle or handle_of(self.snapshot.state)
        if handle is None:
            return
        try:
            await self._context.runner.stop(handle)
        except NotRunning:
            pass
        except RunnerUnavailable:
            # It was not reached. What has become of it the next look tells.
            self._stopping = False
            before = self._before_stop
            self._become(Loading(handle, time.time()) if handle_of(before) is None else before)
            raise
        except ProcessError as exc:
            self._survive(handle, str(exc))
            raise
        if not self._watched and isinstance(self.snapshot.state, Stopping):
            # After a bug no watcher is left that would see the end.
            self._become(Stopped(time.time()))

    def _give_up(self, handle: ProcessHandle) -> None:
        stalled = HealthCheckFailed(f"no progress while loading for {self._context.load_stall_s:g} s")
        self._given_up = self._failure_at_once(stalled)
        self._stopping = True
        self._stop_task = self._context.scope.start(self._end_given_up(handle), name="give up")

    async def _end_given_up(self, handle: ProcessHandle) -> None:
        try:
            await self._context.monitor.kill(handle)
        except ProcessError as exc:
            self._given_up = None
            self._survive(handle, str(exc))

    def _survive(self, handle: ProcessHandle, reason: str) -> None:
        self._stopping = False
        self._become(Unresponsive(handle, time.time(), reason))


async def _call_off(start: asyncio.Task[ProcessHandle]) -> ProcessHandle | None:
    """Cancels a start. Returns the process if the start had just succeeded."""
    start.cancel()
    await asyncio.wait({start})
    return None if start.cancelled() or start.exception() is not None else start.result()
