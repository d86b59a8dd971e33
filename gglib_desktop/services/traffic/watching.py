"""The watch over the work of one run of a server: when it is asked what."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Healthy, Unresponsive
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.domain.traffic.requests import Finished, RequestEvent
from gglib_desktop.domain.traffic.work import ServerWork
from gglib_desktop.ports.servers.request_store import RequestScope, RequestStore
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.traffic.drafting_now import DraftingNow
from gglib_desktop.services.traffic.news import CountersRead
from gglib_desktop.services.traffic.run_facts import run_facts
from gglib_desktop.services.traffic.use import ServerUse
from gglib_desktop.tasks import TaskScope

FOCUS_S, USUAL_S = 0.25, 1.0
AFTER_S = 5.0
COUNTERS_S, FULL_COUNTERS_S = 5.0, 1.0
# Until an engine that gave no answer is asked again; some never tell.
SILENCE_S = 5.0
TELL_ACTIVITY_S, TELL_S, TELL_OF_HOUR_S = 0.2, 1.0, 30.0
_SECONDS_S, _HOUR_S = 125.0, 3630.0
# The engine counts a request a little after its last line.
_SETTLED_S, _HIDDEN_SETTLED_S = 0.5, 2.0
_EARLY_S = 0.02
# An idle server's use of the processor wavers; telling of it costs more than it is worth.
_TELLING_CPU = 3.0
_RESTORED_ROWS = 2000


@dataclass
class Watching:
    """What all watches have in common. ``focus``: the id of the server of which the user sees more than a line.

    ``store``: the history of requests.
    """

    monitor: ServerMonitor
    scope: TaskScope
    tell: Callable[[int, ServerFigures], None]
    store: RequestStore | None = None
    visible: bool = True
    focus: int | None = None
    counted: Callable[[CountersRead], None] = lambda _news: None


@dataclass
class _Times:
    """By the clock of the loop. ``owes``: work has ended since the counters were read. ``suspects``: it may work."""

    active: float = -math.inf
    slots_from: float = -math.inf
    counters: float = -math.inf
    usage: float = -math.inf
    told: float = -math.inf
    owes: bool = False
    suspects: bool = False


class ServerWatch:
    """Asks the server while it works and the user looks. Idle servers cost nothing."""

    def __init__(self, snapshot: ServerSnapshot, handle: ProcessHandle, watching: Watching) -> None:
        self.handle = handle
        self.run = snapshot.log_name
        self._snapshot = snapshot
        self._watching = watching
        self._work = ServerWork(_now())
        self._use = ServerUse()
        self._drafting = DraftingNow(watching.store)
        self._times = _Times()
        self._told = ServerFigures()
        self._heard_from = math.inf
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def show(self, snapshot: ServerSnapshot) -> bool:
        """Takes the supervisor's news. Returns whether it has just become healthy."""
        before, self._snapshot = self._snapshot, snapshot
        if self._work.slots_n is None and snapshot.facts is not None:
            self._work.slots_n = snapshot.facts.slots
        if type(before.state) is type(snapshot.state):
            return False
        self._tell()
        return self._is_well

    def take(self, event: RequestEvent, at: float) -> None:
        """What the log of the run told, of the time ``at``."""
        self._work.take(event, at)
        if isinstance(event, Finished):
            self._heard_from = min(self._heard_from, event.row.started)
            self._drafting.take(event.row)

    async def restore(self) -> None:
        """Takes what the history has of the last hour of this run, which an earlier program saw."""
        store = self._watching.store
        if store is None:
            return
        try:
            history = await store.history(RequestScope(run=self.run), most=_RESTORED_ROWS)
        except LibraryError:
            return  # the recorder tells of it
        now, unix_now = _now(), time.time()
        has_heard = self._work.has_lines
        # What was read in the log meanwhile may be in the history too by now.
        rows = [kept.row for kept in reversed(history.requests) if kept.row.started < self._heard_from]
        for row in rows:
            age_s = unix_now - row.ended
            at = now - max(0.0, age_s)
            if age_s >= _HOUR_S:
                continue
            if has_heard:
                self._work.remember(row, at)
            else:
                self.take(Finished(row.ended, row), at)
        self.wake()

    def heard(self) -> None:
        """What the log told is complete for now."""
        self._times.active = _now()
        self._times.owes = True
        self._follow_activity()
        self.wake()

    def used(self, usage: Usage) -> None:
        """Its health was just asked for, and it had used so much."""
        now = _now()
        has_worked = self._use.looked(usage, now)
        if has_worked is False:
            self._work.rested(now)
        # Where the log tells of requests, the rest is no work for a client. Of the time before nothing is known.
        may_work = has_worked is not False and not self._work.has_lines
        self._times.suspects = may_work and not self._work.busy_slots
        self._follow_activity()
        if self._times.suspects or self._use.memory_is_due:
            self.wake()
        elif abs((self._use.cpu or 0.0) - (self._told.cpu or 0.0)) >= _TELLING_CPU:
            self._tell()

    def memory_changed(self) -> None:
        """Its share of what it has in common with others may be another one now."""
        self._use.memory_is_due = True
        self.wake()

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()
        if self._task is None:
            self._task = self._watching.scope.start(self._attend(), name=f"figures {self._snapshot.id}")
            self._task.add_done_callback(self._on_rest)

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _on_rest(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    # -- attending

    async def _attend(self) -> None:
        """Until nothing is due any more."""
        while True:
            self._woken.clear()
            began = _now()
            await (self._turn(began) if self._watching.visible else self._turn_unseen(began))
            due = self._due(_now(), began) if self._watching.visible else self._due_unseen()
            if self._woken.is_set():
                continue
            if due == math.inf:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._woken.wait()

    async def _turn(self, now: float) -> None:
        times = self._times
        if self._wants_slots(now):
            await self._ask_slots()
        if self._is_active(now) and now >= times.usage + USUAL_S - _EARLY_S:
            times.usage = now
            usage = await self._watching.monitor.usage(self.handle)
            if usage is not None:
                self._use.read(usage, _now())
        if now >= self._counters_due():
            await self._ask_counters()
        if self._is_well and self._use.memory_in_s(now) == 0:
            self._use.remember(await self._watching.monitor.memory(self.handle), _now())
        if self._drafting.is_due(now):
            await self._drafting.look(run_facts(self._snapshot), now)
        if self._has_news(now) and now >= self._tell_due() - _EARLY_S:
            self._tell()
            # However long the answers took: the next second begins with the turn.
            times.told = now

    async def _turn_unseen(self, now: float) -> None:
        if now >= self._due_unseen():
            await self._ask_counters()

    def _due(self, now: float, began: float) -> float:
        """When the next turn is, for a user who looks."""
        if self._work.busy_slots:
            pause_s = FOCUS_S if self._watching.focus == self._snapshot.id else USUAL_S
        elif self._is_active(now) or not self._work.is_quiet(now, _SECONDS_S):
            pause_s = TELL_S
        elif not self._work.is_quiet(now, _HOUR_S):
            pause_s = TELL_OF_HOUR_S
        else:
            pause_s = math.inf
        due = min(began + pause_s, self._counters_due())
        if self._work.busy_slots != self._told.busy_slots:
            due = min(due, self._tell_due())
        if self._is_well:
            due = min(due, now + self._use.memory_in_s(now))
        return max(due, now)

    def _due_unseen(self) -> float:
        """When the one question after the last request of a burst is due."""
        owes = self._times.owes and not self._work.busy_slots and self._is_well and not self._may_sleep
        return self._times.active + _HIDDEN_SETTLED_S if owes else math.inf

    # -- asking

    def _wants_slots(self, now: float) -> bool:
        if not self._is_well or now < self._times.slots_from - _EARLY_S:
            return False
        if self._work.busy_slots or self._times.suspects:
            return True
        # The log tells of the next request, if it told of this one.
        return self._is_active(now) and not self._work.has_lines and not self._may_sleep

    async def _ask_slots(self) -> None:
        asked_at = _now()
        is_suspected, self._times.suspects = self._times.suspects, False
        slots = await self._watching.monitor.slots(self.handle)
        now = _now()
        if slots is None:
            self._times.slots_from = now + SILENCE_S
            if is_suspected:
                self._work.doubt()
                self._follow_activity()
            return
        is_urgent = self._work.busy_slots and self._watching.focus == self._snapshot.id
        self._times.slots_from = asked_at + (FOCUS_S if is_urgent else USUAL_S)
        self._work.sampled(slots, asked_at, now)
        if is_suspected and not self._work.busy_slots:
            self._use.rested()
        self._follow_activity()

    def _counters_due(self) -> float:
        times = self._times
        if not self._is_well:
            return math.inf
        if self._work.busy_slots:
            return times.counters + (FULL_COUNTERS_S if self._work.is_full else COUNTERS_S)
        # One that may sleep is asked while its work has just ended, or not at all.
        owes = times.owes and not (self._may_sleep and _now() > times.active + _HIDDEN_SETTLED_S)
        return max(times.active + _SETTLED_S, times.counters + FULL_COUNTERS_S) if owes else math.inf

    async def _ask_counters(self) -> None:
        self._times.counters = _now()
        self._times.owes = bool(self._work.busy_slots)
        counters = await self._watching.monitor.counters(self.handle)
        if counters is not None:
            self._work.counted(counters, _now())
            self._watching.counted(CountersRead(self.run, counters))

    # -- telling

    def _follow_activity(self) -> None:
        """Tells soon that it has begun or ended to work."""
        busy = self._work.busy_slots
        if busy:
            self._times.active = _now()
            self._times.owes = True
        if busy != self._told.busy_slots and _now() >= self._tell_due() - _EARLY_S:
            self._tell()

    def _has_news(self, now: float) -> bool:
        """Of one that has been idle for an hour only its memory may be news, and that it is idle."""
        is_idle = not self._is_active(now) and self._work.is_quiet(now, _HOUR_S)
        is_told = self._told.memory == self._use.memory and self._told.busy_slots == self._work.busy_slots
        return not (is_idle and is_told)

    def _tell_due(self) -> float:
        is_urgent = self._work.busy_slots != self._told.busy_slots
        return self._times.told + (TELL_ACTIVITY_S if is_urgent else TELL_S)

    def _tell(self) -> None:
        now = self._times.told = _now()
        figures = ServerFigures(memory=self._use.memory, cpu=self._use.cpu)
        if not isinstance(self._snapshot.state, Unresponsive):
            drafting = self._drafting.figures(run_facts(self._snapshot), self._work.counters)
            figures = replace(self._work.figures(now), memory=figures.memory, cpu=figures.cpu, drafting=drafting)
        if figures != self._told:
            self._told = figures
            self._watching.tell(self._snapshot.id, figures)

    @property
    def _is_well(self) -> bool:
        return isinstance(self._snapshot.state, Healthy)

    @property
    def _may_sleep(self) -> bool:
        return self._snapshot.facts is None or self._snapshot.facts.may_sleep

    def _is_active(self, now: float) -> bool:
        return bool(self._work.busy_slots) or now < self._times.active + AFTER_S


def _now() -> float:
    return asyncio.get_running_loop().time()
