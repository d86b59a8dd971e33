"""The life of one server, from asking for it to its end and, if so wished, to its next start."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace

from gglib_desktop.domain.documents.settings import SECOND_GRACE_S
from gglib_desktop.domain.errors import HealthCheckFailed, NotRunning, ProcessError, StartFailed
from gglib_desktop.domain.servers.diagnosis import failure_of_error, failure_of_exit
from gglib_desktop.domain.servers.exits import ServerExit
from gglib_desktop.domain.servers.failures import Failure, FailureCause
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, HealthTracker, ProbeResult, Usage
from gglib_desktop.domain.servers.restart import Retry, next_retry
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.states import (
    Crashed,
    Failed,
    Loading,
    Running,
    Starting,
    Stopped,
    Stopping,
    Unresponsive,
    handle_of,
    is_live,
)
from gglib_desktop.services.servers.failure_diagnosis import explain_by_model, explain_exit
from gglib_desktop.services.servers.snapshot import LifeContext, Rejected, ServerSnapshot

_log = logging.getLogger(__name__)
_ACTIVE_CPU_S = 0.02
# Of the 100 ms in which an end is to be seen, also on a busy machine.
_EVIDENCE_WAIT_S = 0.03
_FACTS_ANSWERS = 2


@dataclass(frozen=True)
class _Next:
    """What is started once the present process has ended."""

    config: ServerConfig
    on_trial: bool


class ServerLife:
    """One server. Its snapshot changes by what is observed, and by being asked to start or stop."""

    def __init__(self, snapshot: ServerSnapshot, context: LifeContext) -> None:
        self.snapshot = snapshot
        self._context = context
        self._life: asyncio.Task[None] | None = None
        self._start_task: asyncio.Task[ProcessHandle] | None = None
        self._stop_task: asyncio.Task[None] | None = None
        self._stopping = False
        self._next: _Next | None = None
        # The configuration with which it was healthy last, and whether to return to it if this start fails.
        self._last_good: ServerConfig | None = None
        self._on_trial = False
        self._given_up: Failure | None = None
        self._ready_at: float | None = None
        self._facts_answers = self._tries = 0
        self._former_line = ""

    @property
    def is_live(self) -> bool:
        return is_live(self.snapshot.state)

    def adopt(self, handle: ProcessHandle) -> None:
        """Follows a process that an earlier run of the program started."""
        self._update(adopted=True)
        self._live_on(handle)

    def begin(self, config: ServerConfig) -> None:
        """Starts it, unless it lives. A retry that waits is made unnecessary by this."""
        self._tries = 0
        self._cancel_retry()
        self._begin(config)

    def restart(self, config: ServerConfig, *, on_trial: bool = False, refusal: Failure | None = None) -> None:
        """Stops it if it lives and starts it with ``config``, or after a failure ``on_trial`` as healthy last."""
        if self.is_live and refusal is not None:  # what is known not to start stops nothing
            self._update(rejected=Rejected(config, refusal, untouched=True))
        elif self.is_live:
            self._next = _Next(config, on_trial=on_trial)
            self._ask_to_stop()
        else:
            self.begin(config)

    async def stop(self) -> None:
        """Returns when it has ended and will not start by itself. Raises: StopFailed."""
        self._next = None
        self.stop_trying()
        if self._life is None or not self.is_live:
            return
        self._ask_to_stop()
        awaited = {task for task in (self._life, self._stop_task) if task is not None}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_EXCEPTION)
        if self._stop_task is not None and self._stop_task.done() and not self._stop_task.cancelled():
            self._stop_task.result()

    async def kill(self) -> None:
        """Ends it without grace. Raises: StopFailed."""
        self._next = None
        handle = handle_of(self.snapshot.state)
        if handle is None:
            return
        self._stopping = True
        try:
            await self._context.monitor.kill(handle)
        except ProcessError as exc:
            if self._stop_task is None or self._stop_task.done():
                self._survived(handle, exc)
            raise

    def stop_trying(self) -> None:
        """A server that ended and waits for its next start, or for whether there will be one, stays as it is."""
        self._on_trial = False
        state = self.snapshot.state
        if isinstance(state, Crashed):
            self._cancel_retry()
            self._update(state=replace(state, retry=None))

    # -- from start to end

    def _begin(self, config: ServerConfig, *, on_trial: bool = False, rejected: Rejected | None = None) -> None:
        old, state = self.snapshot, Starting(time.time())
        self.snapshot = ServerSnapshot(old.id, old.number, config, state, log_name=old.log_name, rejected=rejected)
        self._on_trial = on_trial
        self._stopping, self._stop_task, self._given_up, self._ready_at = False, None, None, None
        self._facts_answers, self._former_line = 0, old.command_line or self._former_line
        self._context.tell(self.snapshot)
        self._live_on(None)

    def _live_on(self, adopted: ProcessHandle | None) -> None:
        self._life = self._context.scope.start(self._live(adopted), name=f"server {self.snapshot.id}")
        self._life.add_done_callback(self._on_life_over)

    def _on_life_over(self, life: asyncio.Task[None]) -> None:
        """After a bug in the watching (reported by the scope) the panel says so, and can still stop the server."""
        if life is not self._life or life.cancelled() or life.exception() is None or not self.is_live:
            return
        reason = f"it is not watched any more, because of an error in this program: {life.exception()}"
        handle = handle_of(self.snapshot.state)
        if handle is None:
            self._update(state=Failed(time.time(), Failure(FailureCause.UNKNOWN, reason)))
        else:
            self._stopping = False
            self._update(state=Unresponsive(handle, time.time(), reason))

    async def _live(self, adopted: ProcessHandle | None) -> None:
        handle = adopted or await self._start()
        if handle is not None:
            await self._watch(handle)
        following, self._next = self._next, None
        state = self.snapshot.state
        if following is not None:
            self._tries = 0
            self._begin(following.config, on_trial=following.on_trial)
        elif isinstance(state, Failed) and self._on_trial and self._last_good not in {None, self.snapshot.config}:
            self._begin(self._last_good, rejected=Rejected(self.snapshot.config, state.failure))
        elif isinstance(state, Crashed) and state.retry is not None:
            await self._try_again(state.retry)

    async def _try_again(self, retry: Retry) -> None:
        await asyncio.sleep(max(0.0, retry.at - time.time()))
        self._tries = retry.number
        self._begin(self.snapshot.config, rejected=self.snapshot.rejected)

    def _cancel_retry(self) -> None:
        if self._life is not None and not self.is_live:
            self._life.cancel()

    async def _start(self) -> ProcessHandle | None:
        """The started process, or None after Failed or, when the start was called off, Stopped."""
        if isinstance(self.snapshot.state, Stopping):
            # Asked before this task had its first step: there is no start to cancel.
            self._update(state=Stopped(time.time()))
            return None
        config = self.snapshot.config.named_as_before(self._former_line)
        self._start_task = self._context.scope.start(self._context.runner.start(config), name="start")
        await asyncio.wait({self._start_task})
        start, self._start_task = self._start_task, None
        if start.cancelled():
            self._update(state=Stopped(time.time()))
            return None
        error = start.exception()
        if error is None:
            return start.result()
        if isinstance(error, StartFailed):
            self._update(log_name=error.log_name, command_line=error.command_line)
        # A bug has been reported by the scope of the start; the panel must not say "Starting" for ever.
        failure = (
            failure_of_error(error)
            if isinstance(error, ProcessError)
            else Failure(FailureCause.UNKNOWN, f"{type(error).__name__}: {error}")
        )
        await self._failed_to_start(failure)
        return None

    async def _failed_to_start(self, failure: Failure) -> None:
        now = time.time()
        explained = self._context.scope.start(
            explain_by_model(self._context, self.snapshot, failure), name="why it did not start"
        )
        await asyncio.wait({explained}, timeout=_EVIDENCE_WAIT_S)
        state = Failed(now, explained.result() if explained.done() else failure)
        self._update(state=Stopped(now) if self._stopping else state)
        explanation = await explained
        if self.snapshot.state == state:
            self._update(state=replace(state, failure=explanation))

    async def _watch(self, handle: ProcessHandle) -> None:
        """Follows a process to its end."""
        monitor = self._context.monitor
        since = handle.started_at if self.snapshot.adopted else None
        usual_s = self._context.usual_load_s.get(handle.model_id)
        tracker = HealthTracker.begin(handle, time.time(), since=since, usual_s=usual_s)
        before = self.snapshot.state
        self._update(
            # A start that succeeded in the moment in which it was called off is being stopped already.
            state=replace(before, handle=handle) if isinstance(before, Stopping) else tracker.state,
            endpoint=monitor.endpoint(handle),
            other_endpoints=monitor.other_endpoints(handle),
            command_line=monitor.command_line(handle),
            log_name=monitor.log_name(handle),
        )
        exit_task = self._context.scope.start(monitor.wait_exit(handle), name="exit")
        while not exit_task.done():
            asked_at = asyncio.get_running_loop().time()
            tracker = await self._look(tracker, exit_task)
            await self._pause(tracker, asked_at, exit_task)
        await self._ended(tracker, exit_task.result())

    async def _pause(self, tracker: HealthTracker, asked_at: float, exit_task: asyncio.Task[ServerExit]) -> None:
        """Until the next question is due, the process ends, or somebody begins to look."""
        due = tracker.due_at(asked_at, self.snapshot.id, visible=self._context.visible)
        pause = max(0.0, due - asyncio.get_running_loop().time())
        if self._context.visible or not tracker.is_calm:
            await asyncio.wait({exit_task}, timeout=pause)
            return
        woken = self._context.scope.start(self._context.woken.wait(), name="hidden")
        await asyncio.wait({exit_task, woken}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        woken.cancel()

    async def _look(self, tracker: HealthTracker, exit_task: asyncio.Task[ServerExit]) -> HealthTracker:
        """Asks once how the server is, unless it ends first."""
        handle, monitor = tracker.handle, self._context.monitor
        before = await monitor.usage(handle)
        question = self._context.scope.start(monitor.probe(handle, PROBE_TIMEOUT_S), name="probe")
        await asyncio.wait({question, exit_task}, return_when=asyncio.FIRST_COMPLETED)
        if exit_task.done():
            question.cancel()
            return tracker
        probe = question.result()
        after = await monitor.usage(handle)
        now = time.time()
        if self.snapshot.adopted and probe.result is not ProbeResult.LOADING:
            tracker = tracker.adopted(now)
        following = tracker.observe(probe, before, after, now)
        if self._stopping:
            return following
        if following.stalled_for(now) > self._context.load_stall_s:
            self._give_up(following)
        # What a server that does not answer works on is not known.
        busy = None
        if probe.result is ProbeResult.OK:
            if self._ready_at is None:
                self._became_ready(tracker.state, now)
            await self._ask_for_facts(handle)
            busy = await self._busy_slots(handle, tracker.usage, after)
            busy = self.snapshot.busy_slots if busy is None else busy
        self._observed(following, busy, after)
        return following

    async def _ask_for_facts(self, handle: ProcessHandle) -> None:
        """Until they are known, and once more: the log may be written a little after the server answers."""
        if self._facts_answers < _FACTS_ANSWERS:
            facts = await self._context.monitor.facts(handle)
            if facts is not None:
                self._facts_answers += 1
                self._update(facts=facts)

    def _observed(self, tracker: HealthTracker, busy_slots: int | None, usage: Usage | None) -> None:
        if not self._stopping:
            self._update(state=tracker.state, busy_slots=busy_slots, rss_bytes=usage.rss_bytes if usage else None)

    def _became_ready(self, state: Running, now: float) -> None:
        handle = state.handle
        self._ready_at = now
        self._last_good, self._on_trial = self.snapshot.config, False
        if isinstance(state, Loading) and not self.snapshot.adopted:
            self._context.usual_load_s[handle.model_id] = now - state.since

    async def _busy_slots(self, handle: ProcessHandle, before: Usage | None, after: Usage | None) -> int | None:
        """Asked only of a server that used CPU time since the last look: the others do nothing, and asking costs."""
        idle = before is not None and after is not None and after.cpu_s - before.cpu_s < _ACTIVE_CPU_S
        return 0 if idle else await self._context.monitor.busy_slots(handle)

    def _give_up(self, tracker: HealthTracker) -> None:
        error = HealthCheckFailed(f"no progress while loading for {self._context.load_stall_s:g} s")
        self._given_up = failure_of_error(error)
        self._stopping = True
        self._stop_task = self._context.scope.start(self._end_given_up(tracker.handle), name="give up")

    async def _end_given_up(self, handle: ProcessHandle) -> None:
        try:
            await self._context.monitor.kill(handle)
        except ProcessError as exc:
            self._given_up = None
            self._survived(handle, exc)

    async def _ended(self, tracker: HealthTracker, end: ServerExit) -> None:
        now = time.time()
        if self._given_up is not None:
            self._update(state=Failed(now, self._given_up), busy_slots=None, rss_bytes=None)
            return
        if self._stopping or end.asked_for:
            self._update(state=Stopped(now, end), busy_slots=None, rss_bytes=None)
            return
        _log.warning("%s ended: %s", self.snapshot.config.model_name, end)
        explained = self._context.scope.start(
            explain_exit(self._context, self.snapshot, end, ready=tracker.ready), name="why it ended"
        )
        # A slow disk may delay the reason, but not the news.
        await asyncio.wait({explained}, timeout=_EVIDENCE_WAIT_S)
        if isinstance(self.snapshot.state, Stopping):
            explained.cancel()
            self._update(state=Stopped(now, end), busy_slots=None, rss_bytes=None)
            return
        failure = explained.result() if explained.done() else failure_of_exit(end, ())
        ended: Failed | Crashed = Crashed(now, failure) if tracker.ready else Failed(now, failure)
        self._update(state=ended, busy_slots=None, rss_bytes=None)
        ended = replace(ended, failure=await explained)
        if self.snapshot.state == replace(ended, failure=failure):
            self._update(state=ended)
            if isinstance(ended, Crashed):
                await self._plan_retry(ended)

    async def _plan_retry(self, crashed: Crashed) -> None:
        policy = await self._context.restart_policy(self.snapshot.config.model_id)
        ready_s = crashed.at - self._ready_at if self._ready_at is not None else 0.0
        retry = next_retry(policy, crashed.failure, tries=self._tries, ready_s=ready_s, now=crashed.at)
        if self.snapshot.state == crashed:
            self._update(state=replace(crashed, retry=retry))

    # -- stopping

    def _ask_to_stop(self) -> None:
        if self._stop_task is not None and not self._stop_task.done():
            return
        self._stopping = True
        handle = handle_of(self.snapshot.state)
        now = time.time()
        self._update(state=Stopping(handle, now, now + self._context.stop_grace_s() + SECOND_GRACE_S))
        self._stop_task = self._context.scope.start(self._stop(handle), name="stop")

    async def _stop(self, handle: ProcessHandle | None) -> None:
        if self._start_task is not None:
            handle = await _call_off(self._start_task)
        if handle is None:
            return
        try:
            await self._context.runner.stop(handle)
        except NotRunning:
            pass
        except ProcessError as exc:
            self._next = None
            self._survived(handle, exc)
            raise
        if self._life is not None and self._life.done() and isinstance(self.snapshot.state, Stopping):
            # Nobody watches it any more who would see the end.
            self._update(state=Stopped(time.time()))

    def _survived(self, handle: ProcessHandle, error: ProcessError) -> None:
        self._stopping = False
        self._update(state=Unresponsive(handle, time.time(), str(error)))

    def _update(self, **changes: object) -> None:
        snapshot = replace(self.snapshot, **changes)  # type: ignore[arg-type]
        if snapshot != self.snapshot:
            self.snapshot = snapshot
            self._context.tell(snapshot)


async def _call_off(start: asyncio.Task[ProcessHandle]) -> ProcessHandle | None:
    """Cancels a start. Gives the process if the start had just succeeded."""
    start.cancel()
    await asyncio.wait({start})
    return None if start.cancelled() or start.exception() is not None else start.result()
