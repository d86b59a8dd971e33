"""From a server's answers to its state: when it is healthy, busy, degraded or unresponsive.

A server is asked every ``HEALTHY_INTERVAL_S``; once an answer is missed, every second. Each question may take
``PROBE_TIMEOUT_S``. So the third miss in a row without progress is seen at most
``HEALTHY_INTERVAL_S + 3 * PROBE_TIMEOUT_S`` after a freeze. Progress is CPU time or log output during a question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import (
    Busy,
    Degraded,
    Healthy,
    Loading,
    Running,
    Unreachable,
    Unresponsive,
)

PROBE_TIMEOUT_S = 2.0
HEALTHY_INTERVAL_S = 3.5
# A window that is shown again is updated at once, so a long interval delays no one.
HIDDEN_INTERVAL_S = 30.0
MISSED_INTERVAL_S = 1.0
FIRST_INTERVAL_S = 0.005
LAST_LOADING_INTERVAL_S = 0.250
UNRESPONSIVE_AFTER = 3
# Healthy servers are asked in groups, one group after the other.
GROUP_SERVERS = 4
GROUP_PAUSE_S = 0.5
EARLY_S = 0.05
_PROGRESS_CPU_S = 0.05
_ADOPTED_SILENCE_S = 1.0
# Far more than the pause before a question while loading plus the question take, even on a busy machine.
_LONGEST_LOOK_S = 30.0


def next_look_at(asked_at: float, interval_s: float, server_id: int) -> float:
    """When to ask a healthy server again, together with its group, hardly later than ``interval_s``.

    Waking up costs the program as much as a question. But all of fifty servers at once would block the window.
    """
    first_s = server_id // GROUP_SERVERS * GROUP_PAUSE_S % HEALTHY_INTERVAL_S
    # If it was asked a little early, as timers of some loops are, it is not due again at once.
    latest = asked_at + interval_s + EARLY_S
    return (latest - first_s) // interval_s * interval_s + first_s


def loading_interval_s(waited_s: float) -> float:
    """In how many seconds to ask again a server that was asked to start ``waited_s`` ago and is not ready.

    A tenth of that time, so that no start seems more than a tenth longer than it was.
    """
    return min(max(FIRST_INTERVAL_S, waited_s / 10), LAST_LOADING_INTERVAL_S)


class ProbeResult(StrEnum):
    """The outcome of one question to a server."""

    OK = "ok"
    LOADING = "loading"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    FOREIGN = "foreign"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Probe:
    """One answer to a health question: the result and, unless it is OK, the server's or the system's words.

    ``since``: the unix time since when its place cannot be reached, where that is the result.
    """

    result: ProbeResult
    message: str = ""
    since: float = 0.0


@dataclass(frozen=True)
class Usage:
    """The operating system's data on a process: CPU seconds used so far, resident bytes, paused (state T)."""

    cpu_s: float
    rss_bytes: int
    paused: bool = False
    log_bytes: int = 0

    def shows_progress_since(self, before: Usage | None) -> bool:
        return before is not None and self.cpu_s - before.cpu_s > _PROGRESS_CPU_S


@dataclass(frozen=True)
class HealthTracker:
    """The health of one server so far. ``observe`` takes the next answer and returns the next tracker.

    ``lost``: its place cannot be reached, and ``state`` is what it was before.
    """

    state: Running
    lost: Unreachable | None = None
    ready: bool = False
    missed: int = 0
    busy: bool = False
    usage: Usage | None = None
    last_advance_at: float = 0.0
    looked_at: float = 0.0
    began_at: float = 0.0

    @classmethod
    def begin(
        cls,
        handle: ProcessHandle,
        now: float,
        *,
        began_at: float = 0.0,
        since: float | None = None,
        usual_s: float | None = None,
    ) -> HealthTracker:
        """A process that has answered but not yet said that it is ready.

        ``began_at``: when it was asked to start, by the clock of ``due_at``. ``since``: when loading began, if not now.
        """
        state = Loading(handle, now if since is None else since, usual_s)
        return cls(state, last_advance_at=now, looked_at=now, began_at=began_at)

    @property
    def handle(self) -> ProcessHandle:
        return self.state.handle

    @property
    def shown(self) -> Running | Unreachable:
        """Its state now."""
        return self.lost or self.state

    @property
    def interval_s(self) -> float:
        """How long after the beginning of the last question the next one is due, once it was ready."""
        return MISSED_INTERVAL_S if self.missed or self.busy else HEALTHY_INTERVAL_S

    @property
    def is_calm(self) -> bool:
        """It is well, so the next question is not urgent."""
        return self.ready and not self.missed and not self.busy and self.lost is None

    def due_at(self, asked_at: float, server_id: int, *, visible: bool) -> float:
        """When to ask next, after the question that began at ``asked_at``."""
        if not self.ready and self.lost is None:
            return asked_at + loading_interval_s(asked_at - self.began_at)
        if not self.is_calm:
            return asked_at + self.interval_s
        return next_look_at(asked_at, HEALTHY_INTERVAL_S if visible else HIDDEN_INTERVAL_S, server_id)

    def stalled_for(self, now: float) -> float:
        """Seconds for which a loading server has neither used CPU time nor written to its log; 0 once it is ready."""
        return 0.0 if self.ready else now - self.last_advance_at

    def adopted(self, now: float) -> HealthTracker:
        """The same for an adopted server. It is not known to load; if it neither answers nor moves, it is not loading.

        It hangs, or is paused, or was told to stop by a program that ended before it did.
        """
        return replace(self, ready=True) if self.stalled_for(now) > _ADOPTED_SILENCE_S else self

    def observe(self, probe: Probe, before: Usage | None, after: Usage | None, now: float) -> HealthTracker:
        """The tracker after one question: the answer, and the process's usage before and after it."""
        if probe.result is ProbeResult.UNREACHABLE:
            lost = Unreachable(probe.since, self.handle.place, probe.message, self.handle)
            return replace(self, lost=lost, missed=0, busy=False, looked_at=now, last_advance_at=now)
        return replace(self._observe_there(probe, before, after, now), lost=None)

    def _observe_there(self, probe: Probe, before: Usage | None, after: Usage | None, now: float) -> HealthTracker:
        if probe.result is ProbeResult.OK:
            return replace(self, state=Healthy(self.handle), ready=True, missed=0, busy=False, usage=after)
        if not self.ready:
            return self._still_loading(after, now)
        if probe.result is ProbeResult.LOADING:
            # A sleeping or reloading server says so itself; that is an answer in time.
            state = self.state if isinstance(self.state, Loading) else Loading(self.handle, now)
            return replace(self, state=state, missed=0, busy=False, usage=after)
        if after is not None and after.shows_progress_since(before):
            return replace(self, state=Busy(self.handle), missed=0, busy=True, usage=after)
        return self._missed_one_more(probe, after, now)

    def _still_loading(self, usage: Usage | None, now: float) -> HealthTracker:
        advanced = usage is None or usage.paused or usage != self.usage
        # Time without any question, for example while the computer sleeps, is no stall.
        unseen_s = now - self.looked_at if abs(now - self.looked_at) > _LONGEST_LOOK_S else 0.0
        return replace(
            self,
            usage=usage,
            looked_at=now,
            last_advance_at=now if advanced else self.last_advance_at + unseen_s,
        )

    def _missed_one_more(self, probe: Probe, usage: Usage | None, now: float) -> HealthTracker:
        missed = self.missed + 1
        paused = usage is not None and usage.paused
        reason = "the process is paused (stopped by a signal)" if paused else probe.message
        state: Running
        if missed < UNRESPONSIVE_AFTER:
            state = Degraded(self.handle, missed, reason)
        else:
            since = self.state.since if isinstance(self.state, Unresponsive) else now
            state = Unresponsive(self.handle, since, reason, paused)
        return replace(self, state=state, missed=missed, busy=False, usage=usage)
