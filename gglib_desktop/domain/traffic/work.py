"""What a server does now, put together from its log, its slots and its counters."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from statistics import median

from gglib_desktop.domain.traffic.figures import Counters, ServerFigures, SlotWork
from gglib_desktop.domain.traffic.requests import (
    Finished,
    GenerationProgress,
    Launched,
    PromptProgress,
    RequestEnd,
    RequestEvent,
    RequestRow,
)
from gglib_desktop.domain.traffic.speed import TokensOverTime

Task = tuple[int, int | None]
_LAST_REQUESTS = 5
_MOST_TASKS = 200
# A task of which nothing was heard for longer does not hold up the speed of the others.
_LATEST_S = 3.5
# What slots or counters told is no news any more.
_FRESH_S = 5.0
_NO_REQUESTS = frozenset({RequestEnd.NOT_RECORDED, RequestEnd.INTERVAL})


@dataclass
class _Slot:
    """``work`` is what it did when it was last heard of; ``launched``: when the log told of its task."""

    work: SlotWork
    launched: float = -math.inf


@dataclass
class _Told:
    """How many tokens of a task were told of, and when."""

    gen_n: int
    at: float


@dataclass
class ServerWork:
    """The work of one run of a server. Times are in seconds, of one clock.

    ``slots_n``: how many slots it has. ``since``: nothing is known of what was before.
    """

    since: float
    slots_n: int | None = None
    has_lines: bool = False
    _is_known: bool = False
    _slots: dict[int, _Slot] = field(default_factory=dict)
    _told: dict[Task, _Told] = field(default_factory=dict)
    _over: deque[Task] = field(default_factory=lambda: deque(maxlen=_MOST_TASKS))
    _rows: deque[RequestRow] = field(default_factory=lambda: deque(maxlen=_LAST_REQUESTS))
    _counters: tuple[float, Counters] | None = None
    _sampled_at: float = -math.inf
    _seen_n: int = 0

    def __post_init__(self) -> None:
        self._tokens = TokensOverTime(self.since)

    # -- what is heard

    def take(self, event: RequestEvent, at: float) -> None:
        """What the log told, of the time ``at``."""
        self.has_lines = self._is_known = True
        match event:
            case Launched(slot=slot, task=task):
                self._slots[slot] = _Slot(SlotWork(slot, task, is_busy=True), launched=at)
                self._hear((slot, task), 0, at)
            case PromptProgress(slot=slot, task=task, read_n=read_n, total_n=total_n):
                if not self._told.get((slot, task), _Told(0, at)).gen_n:
                    self._hear((slot, task), 0, at)
                self._change((slot, task), read_n=read_n, prompt_n=total_n)
            case GenerationProgress(slot=slot, task=task, gen_n=gen_n):
                self._generated((slot, task), gen_n, at)
                self._change((slot, task), gen_n=gen_n)
            case Finished(row=row):
                self._finish(row, at)
            case _:
                pass

    def remember(self, row: RequestRow, at: float) -> None:
        """A request that ended earlier than all that was heard: only its tokens count."""
        if row.gen_n:
            self._tokens.add(row.gen_n, at - (row.gen_ms or 0.0) / 1000, at)

    def sampled(self, slots: Iterable[SlotWork], asked_at: float, at: float) -> None:
        """What the slots told at ``at`` to a question of ``asked_at``. One that sleeps has none, and does nothing."""
        self._is_known = True
        before_s, self._sampled_at = at - self._sampled_at, at
        told = tuple(slots)
        self.slots_n = len(told) or self.slots_n
        for work in told:
            before = self._slots.get(work.slot)
            if (work.slot, work.task) in self._over and work.task is not None:
                work = replace(work, is_busy=False)  # noqa: PLW2901  # the answer was under way when its end was told
            if work.is_busy:
                if work.gen_n is not None:
                    self._generated((work.slot, work.task), work.gen_n, at, unseen_s=before_s)
                self._show(work, before)
            elif before is None or before.launched < asked_at:
                self._slots[work.slot] = _Slot(replace(work, gen_n=0))
        for slot in self._slots.values() if not told else ():
            if slot.launched < asked_at:
                slot.work = replace(slot.work, is_busy=False, gen_n=0)

    def counted(self, counters: Counters, at: float) -> None:
        before, self._counters = self._counters, (at, counters)
        if before is not None and not self.has_lines:
            self._add_unseen(*before, counters, at)

    def rested(self, at: float) -> None:
        """It has done nothing for a while, as its use of the processor tells. Its log or its slots know better."""
        if self._sampled_at > at - _FRESH_S or (self.has_lines and self.busy_slots):
            return
        self._is_known = True
        for slot in self._slots.values():
            slot.work = replace(slot.work, is_busy=False, gen_n=0)

    def doubt(self) -> None:
        """It may do something of which neither its log nor its slots tell."""
        self._is_known = self.has_lines

    # -- what is known

    @property
    def busy_slots(self) -> int | None:
        return sum(slot.work.is_busy for slot in self._slots.values()) if self._is_known else None

    @property
    def is_only_counted(self) -> bool:
        """It works, and its counters alone tell how fast."""
        return any(slot.work.is_busy and slot.work.gen_n is None for slot in self._slots.values())

    @property
    def is_full(self) -> bool:
        """All slots are busy, so requests may wait."""
        return self.slots_n is not None and (self.busy_slots or 0) >= self.slots_n

    @property
    def counters(self) -> Counters | None:
        return self._counters[1] if self._counters is not None else None

    def is_quiet(self, at: float, within_s: float) -> bool:
        """No tokens were generated in that time."""
        return self._tokens.is_quiet(at, within_s)

    def figures(self, at: float) -> ServerFigures:
        """All but what the process uses and what drafting brings."""
        timed = [row for row in self._rows if row.prompt_n and row.prompt_ms]
        first = [row.ttft_ms for row in self._rows if row.ttft_ms is not None]
        read_ms = sum(row.prompt_ms or 0.0 for row in timed)
        return ServerFigures(
            generation=self._tokens.speed(self._known_until(at)) if self._is_known else None,
            prompt=sum(row.prompt_n or 0 for row in timed) / read_ms * 1000 if read_ms else None,
            first_token_ms=median(first) if first else None,
            waiting=self._waiting(at),
            busy_slots=self.busy_slots,
            slots=self._every_slot(),
            seconds=self._tokens.seconds(self._known_until(at)),
            hour=self._tokens.hour(at),
        )

    def _known_until(self, at: float) -> float:
        """All tokens generated until then have been told of."""
        if self.is_only_counted and self._counters is not None:
            return max(self._counters[0], at - _LATEST_S)
        generating = [slot.work for slot in self._slots.values() if slot.work.is_busy and slot.work.gen_n]
        heard = [self._told[work.slot, work.task].at for work in generating if (work.slot, work.task) in self._told]
        return min((told for told in heard if told >= at - _LATEST_S), default=at)

    def _waiting(self, at: float) -> int | None:
        if self._is_known and self.slots_n is not None and not self.is_full:
            return 0
        if self._counters is None or self._counters[0] < at - _FRESH_S:
            return None
        return self._counters[1].deferred

    def _every_slot(self) -> tuple[SlotWork, ...]:
        """In their order; those that were never heard of have done nothing so far."""
        if not self._is_known:
            return ()
        numbers = self._slots.keys() | set(range(self.slots_n or 0))
        return tuple(self._slots[each].work if each in self._slots else SlotWork(each) for each in sorted(numbers))

    # -- its tasks

    def _finish(self, row: RequestRow, at: float) -> None:
        if row.end in _NO_REQUESTS:
            return
        self._rows.append(row)
        if row.slot is None:
            return
        key = (row.slot, row.task)
        self._over.append(key)
        told = self._told.pop(key, _Told(0, -math.inf))
        if row.gen_n is not None and row.gen_n > told.gen_n:
            generating_s = (row.gen_ms or 0.0) / 1000
            self._tokens.add(row.gen_n - told.gen_n, max(told.at, at - generating_s), at)
        slot = self._slots.get(row.slot)
        if slot is not None and slot.work.task == row.task:
            slot.work = replace(slot.work, is_busy=False, gen_n=0)

    def _generated(self, task: Task, gen_n: int, at: float, *, unseen_s: float = math.inf) -> None:
        """``unseen_s``: so long ago the task was not there yet."""
        told = self._told.get(task)
        if told is None:
            # If nothing was told for long, the time of its first tokens is not known.
            told = _Told(0 if unseen_s <= _LATEST_S else gen_n, at - min(unseen_s, _LATEST_S))
        if gen_n < told.gen_n:
            if task[1] is not None:
                return  # older news, or the end of the task
            told.gen_n = 0
        if gen_n > told.gen_n:
            self._tokens.add(gen_n - told.gen_n, told.at, at)
            self._seen_n += gen_n - told.gen_n
        self._hear(task, gen_n, at)

    def _add_unseen(self, counted_at: float, before: Counters, counters: Counters, at: float) -> None:
        """Adds the tokens of requests that came and went between two looks at the slots; when is not known better."""
        counted_n = counters.gen_n - before.gen_n
        if counted_n > self._seen_n:
            generating_s = (math.inf if counters.gen_s is None else counters.gen_s) - (before.gen_s or 0.0)
            self._tokens.add(counted_n - self._seen_n, max(counted_at, at - generating_s), at)
        # What those at work have generated is counted when they end.
        self._seen_n = max(0, self._seen_n - counted_n) if self.busy_slots else 0

    def _hear(self, task: Task, gen_n: int, at: float) -> None:
        self._told.pop(task, None)
        while len(self._told) >= _MOST_TASKS:
            del self._told[next(iter(self._told))]
        self._told[task] = _Told(gen_n, at)

    def _show(self, work: SlotWork, before: _Slot | None) -> None:
        """The length of the prompt is known from the log alone."""
        known = before if before is not None and before.work.task == work.task else _Slot(work)
        self._slots[work.slot] = _Slot(replace(work, prompt_n=known.work.prompt_n), known.launched)

    def _change(
        self, task: Task, *, read_n: int | None = None, prompt_n: int | None = None, gen_n: int | None = None
    ) -> None:
        number, _task = task
        slot = self._slots.get(number)
        if slot is None or slot.work.task != task[1]:
            slot = self._slots[number] = _Slot(SlotWork(*task))
        slot.work = replace(
            slot.work,
            is_busy=True,
            read_n=slot.work.read_n if read_n is None else read_n,
            prompt_n=slot.work.prompt_n if prompt_n is None else prompt_n,
            gen_n=slot.work.gen_n if gen_n is None else gen_n,
        )
