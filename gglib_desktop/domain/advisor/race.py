"""Which setting to measure next, where the model loads quickly: first a few that differ, then the neighbors of the
best, then those that may be the best again and again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gglib_desktop.domain.advisor.judging import judge
from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.plan import RACERS, Plan, last_tasks, short_tasks
from gglib_desktop.domain.advisor.samples import Task, accepted_share, drafted_per_step
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.advisor.verdict import LEAST_GAIN, is_open

FIRST_REQUESTS = 2
# A setting that is so much slower than the best one is asked no more.
_HOPELESS = 2.0
# The neighbors of a setting that is so slow are not looked at.
_LOST = 0.75
# Those that may be the best, while little is known of them and later.
_CLOSE, _KNOWN_CLOSE = 1.12, 1.06
_KNOWN_REQUESTS = 5
_AGAIN_REQUESTS = 3
_MOST_NEW = 2
_MOST_FINALISTS = 4
# Above this share a stricter setting only drafts less; below the other one a laxer one only drafts more in vain.
_NEARLY_ALL, _FEW = 0.97, 0.60
_FULL = 0.35


@dataclass(frozen=True)
class Visit:
    """One start of the engine with a setting, and the questions that it is asked."""

    setting: DraftSetting
    tasks: tuple[Task, ...]


class Course(ABC):
    """What is measured next. It reads no clock: each time it is told how many seconds are left."""

    def __init__(self, plan: Plan, measured: Measurements) -> None:
        """``measured``: what is known already. The caller adds to it what each visit shows."""
        self.plan = plan
        self.measured = measured
        self.failed: set[DraftSetting] = set()
        self._left_s = 0.0
        self._visit_s: Callable[[Sequence[Task]], float] = lambda _tasks: 0.0
        self._visits = self._course()

    def next(self, left_s: float, visit_s: Callable[[Sequence[Task]], float]) -> Visit | None:
        """``visit_s`` tells how many seconds a visit with some questions takes. None: it is over."""
        self._left_s, self._visit_s = left_s, visit_s
        return next(self._visits, None)

    def goes_on(self, setting: DraftSetting) -> bool:
        """Whether it is worth asking a setting more, after the last answer."""
        best, cost = self.best_cost(), self.measured.cost(setting)
        return setting == OFF or cost is None or best is None or cost < best * _HOPELESS

    def best_cost(self) -> float | None:
        return min(filter(None, map(self.measured.cost, self.measured.settings)), default=None)

    def best(self) -> DraftSetting | None:
        """The fastest setting with drafting; None while there is none."""
        drafting = [each for each in self.measured.settings if each.drafts and each not in self.failed]
        return min(drafting, key=lambda each: self.measured.cost(each) or 0.0, default=None)

    @abstractmethod
    def _course(self) -> Iterator[Visit]:
        """All visits, as far as what the last ones showed makes them worth it and there is time."""

    def _affords(self, tasks: Sequence[Task], times: int = 1) -> bool:
        return self._left_s >= times * self._visit_s(tasks)

    def _new(self, setting: DraftSetting, tasks: Sequence[Task]) -> Iterator[Visit]:
        """A visit with the questions that the setting has not answered yet, if there is time for it."""
        missing = tuple(each for each in tasks if each not in self.measured.tasks(setting))
        if missing and setting not in self.failed and self._affords(missing):
            yield Visit(setting, missing)

    def _last(self) -> Iterator[Visit]:
        """Off against the winner, for what else it may be used for."""
        best, tasks = judge(self.measured).setting, last_tasks(self.plan.depth)
        if not best.drafts:
            return
        for some in (tasks[:4], tasks[4:]):
            if some and self._affords(some, 2):
                for setting in (OFF, best):
                    yield from self._new(setting, some)

    def _again(self, setting: DraftSetting, count: int) -> tuple[Task, ...]:
        """The next questions for a setting: those that it has answered the least, in their order."""
        tasks = short_tasks(self.plan.depth)
        answered = [each.task for each in self.measured.of(setting)]
        return tuple(sorted(tasks, key=answered.count)[:count])


class Race(Course):
    """For models that load within seconds."""

    def _course(self) -> Iterator[Visit]:
        first = short_tasks(self.plan.depth)[:FIRST_REQUESTS]
        for setting in RACERS:
            yield from self._new(setting, first)
        while new := self._neighbors():
            before = len(self.measured.settings)
            for setting in new:
                if self._reserves(first):
                    yield from self._new(setting, first)
            if len(self.measured.settings) == before:
                break
        while (finalist := self._finalist()) is not None:
            tasks = self._again(finalist, _AGAIN_REQUESTS)
            if not self._affords(tasks) or self._left_s < self._last_s():
                break
            yield Visit(finalist, tasks)
        yield from self._last()

    def _reserves(self, tasks: Sequence[Task]) -> bool:
        """Whether there is time enough for the best ones afterwards."""
        return self._left_s > self.plan.seconds * 0.35 and self._affords(tasks)

    def _last_s(self) -> float:
        best = self.best()
        is_due = best is not None and (self.measured.speed(best) or 0.0) >= LEAST_GAIN
        return min(2 * self._visit_s(last_tasks(self.plan.depth)), self.plan.seconds / 4) if is_due else 0.0

    def _neighbors(self) -> list[DraftSetting]:
        best = self.best()
        if best is None or (self.measured.speed(best) or 0.0) < _LOST:
            return []
        accepted = accepted_share(self.measured.of(best))
        is_full = drafted_per_step(self.measured.of(best)) >= _FULL * best.n_max
        wanted = (
            best.stricter() if accepted is not None and accepted < _NEARLY_ALL else None,
            best.more() if is_full else None,
            best.laxer() if accepted is None or accepted > _FEW else None,
            best.fewer(),
        )
        tried = {*self.measured.settings, *self.failed}
        return [each for each in wanted if each is not None and each not in tried][:_MOST_NEW]

    def _finalist(self) -> DraftSetting | None:
        """Of those that may be the best, and the one without drafting, the one measured the least.

        None when enough is known.
        """
        costs = {each: self.measured.cost(each) or 0.0 for each in self.measured.settings if each not in self.failed}
        if OFF not in costs:
            return None
        order = _without_alike(sorted((each for each in costs if each.drafts), key=costs.__getitem__), self.measured)
        best_cost = min(costs.values())
        close = [each for each in order if costs[each] <= best_cost * self._closeness(each)]
        chosen = close[:_MOST_FINALISTS] or order[:1]
        finalists = [OFF, *chosen]
        counts = {each: len(self.measured.pooled(each)) for each in finalists}
        least = min(finalists, key=counts.__getitem__)
        wanted = len(short_tasks(self.plan.depth)) // (1 if close else 2)
        return None if counts[least] >= wanted and self._is_decided(chosen) else least

    def _closeness(self, setting: DraftSetting) -> float:
        """By what factor it may be slower than the best one: the more is known of it the less."""
        return _CLOSE if len(self.measured.pooled(setting)) < _KNOWN_REQUESTS else _KNOWN_CLOSE

    def _is_decided(self, chosen: Sequence[DraftSetting]) -> bool:
        gain = self.measured.gain(chosen[0]) if chosen else None
        return gain is not None and not is_open(gain, self.measured.spread)


def _without_alike(settings: Sequence[DraftSetting], measured: Measurements) -> list[DraftSetting]:
    """One of those that draft the same."""
    kept: list[DraftSetting] = []
    for each in settings:
        if not any(like in kept for like in measured.alike(each)):
            kept.append(each)
    return kept
