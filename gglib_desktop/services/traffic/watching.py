"""The watch over the work of one run of a server: when it is asked what."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Healthy, Unreachable, Unresponsive
from gglib_desktop.domain.traffic.figures import Counters, ServerFigures
from gglib_desktop.domain.traffic.requests import Finished, RequestEvent
from gglib_desktop.domain.traffic.work import ServerWork
from gglib_desktop.ports.servers.request_store import RequestScope, RequestStore
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.traffic.drafting_now import DraftingNow, OffTimes, no_off_times
from gglib_desktop.services.traffic.news import CountersRead
from gglib_desktop.services.traffic.run_facts import run_facts
from gglib_desktop.services.traffic.use import ServerUse
from gglib_desktop.tasks import TaskScope

FOCUS_S, USUAL_S = 0.25, 1.0
AFTER_S = 5.0
COUNTERS_S, FULL_COUNTERS_S = 5.0, 1.0
# Until an engine that gave no answer is asked again; some never tell.
SILENCE_S = 5.0
# Until the counters are asked once more, where the log did not tell of what they counted: that long it may be late.
LINES_LATE_S = 31.0
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
    off_times: OffTimes = no_off_times
    visible: bool = True
    focus: int | None = None
    counted: Callable[[CountersRead], None] = lambda _news: None


@dataclass
class _Times:
    """By the clock of the loop. ``owes``: work has ended since the counters were read. ``suspects``: it may work.

    ``looked`` and ``looked_before`` are the last two looks at its health. ``seems_idle``: its slots do nothing, but the
    counters were not asked yet what it did between these looks. They are asked ``again`` about what no line told of.
    """

    active: float = -math.inf
    looked: float = -math.inf
    looked_before: float = -math.inf
    again: float = math.inf
    slots_from: float = -math.inf
    counters: float = -math.inf
    usage: float = -math.inf
    told: float = -math.inf
    owes: bool = False
    suspects: bool = False
    seems_idle: bool = False


class ServerWatch:
    """Asks the server while it works and the user looks. Idle servers cost nothing."""

    def __init__(self, snapshot: ServerSnapshot, handle: ProcessHandle, watching: Watching) -> None:
        self.handle = handle
        self.run = snapshot.log_name
        self._snapshot = snapshot
        self._watching = watching
        self._work = ServerWork(_now())
        self._use = ServerUse()
        self._drafting = DraftingNow(watching.store, partial(watching.off_times, snapshot.config.model_path))
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
        self._times.looked_before, self._times.looked = self._times.looked, now
        has_worked = self._use.looked(usage, now)
        if has_worked is False:
            self._work.rested(now)
        # Where the log tells of requests, the rest is no work for a client. Of the time before nothing is known.
        may_work = has_worked is not False and not self._work.has_lines
        self._times.suspects = may_work and not self._work.busy_slots
        self._follow_activity()
        if self._times.suspects or self._use.memory_is_due:
            self.wake()
        elif self._has_cpu_news:
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
        if is_suspected and slots and not self._work.busy_slots:
            self._seems_idle()
        self._follow_activity()

    def _seems_idle(self) -> None:
        """It has used the processor, and no slot is busy: it may have finished what no line told of."""
        is_new = self._times.looked_before == -math.inf and not self._snapshot.adopted
        if self._may_sleep or is_new:
            self._use.rested()
        else:
            self._times.owes = self._times.seems_idle = True

    def _counters_due(self) -> float:
        times = self._times
        if not self._is_well:
            return math.inf
        if self._work.busy_slots:
            return times.counters + (
                FULL_COUNTERS_S if self._work.is_full or self._work.is_only_counted else COUNTERS_S
            )
        # One that may sleep is asked while its work has just ended, or not at all.
        owes = times.owes and not (self._may_sleep and _now() > times.active + _HIDDEN_SETTLED_S)
        due = max(times.active + _SETTLED_S, times.counters + FULL_COUNTERS_S) if owes else math.inf
        return min(due, times.again)

    async def _ask_counters(self) -> None:
        self._times.counters = _now()
        self._times.owes = bool(self._work.busy_slots)
        if self._times.counters >= self._times.again:
            self._times.again = math.inf
        seems_idle, self._times.seems_idle = self._times.seems_idle, False
        before, counters = self._work.counters, await self._watching.monitor.counters(self.handle)
        has_worked = False
        if counters is not None:
            has_worked = _has_worked(before, counters, since_start=not self._snapshot.adopted)
            self._work.counted(counters, _now())
            self._watching.counted(CountersRead(self.run, counters))
        if has_worked and not self._work.has_lines:
            self._notice_unseen_work()
        elif seems_idle and not self._has_worked_lately:
            self._use.rested()

    def _notice_unseen_work(self) -> None:
        """More may follow. If not, the counters are asked once more when the log cannot tell of it any more."""
        self._times.active = _now()
        if not self._may_sleep:
            self._times.again = self._times.active + LINES_LATE_S

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
        return not (is_idle and is_told) or self._has_cpu_news

    @property
    def _has_cpu_news(self) -> bool:
        cpu, told = self._use.cpu, self._told.cpu
        if cpu is None or told is None:
            return cpu != told
        return abs(cpu - told) >= _TELLING_CPU

    def _tell_due(self) -> float:
        is_urgent = self._work.busy_slots != self._told.busy_slots
        return self._times.told + (TELL_ACTIVITY_S if is_urgent else TELL_S)

    def _tell(self) -> None:
        now = self._times.told = _now()
        figures = ServerFigures(memory=self._use.memory, cpu=self._use.cpu)
        if not isinstance(self._snapshot.state, Unresponsive | Unreachable):
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

    @property
    def _has_worked_lately(self) -> bool:
        """Between the last two looks at its health, so that its use of the processor then is explained."""
        return self._times.active > self._times.looked_before

    def _is_active(self, now: float) -> bool:
        return bool(self._work.busy_slots) or now < self._times.active + AFTER_S


def _has_worked(before: Counters | None, counters: Counters, *, since_start: bool) -> bool:
    """Whether it has counted tokens since ``before``; if that is None, ``since_start`` or not as far as is known."""
    if before is None:
        return since_start and bool(counters.prompt_n or counters.gen_n)
    return (counters.prompt_n, counters.gen_n) != (before.prompt_n, before.gen_n)


def _now() -> float:
    return asyncio.get_running_loop().time()
