"""Which setting to measure next, where the model takes long to load: the time of a step is linear in the number of
draft tokens, and the counters of a long draft tell what shorter ones would have brought.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from typing_extensions import override

from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.plan import PREDICTORS, short_tasks
from gglib_desktop.domain.advisor.race import Course, Visit
from gglib_desktop.domain.advisor.samples import Task, accepted_share, tokens_per_step
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting

_REQUESTS = 4
_SURER = (0.5, 0.75)
# Drafts that stop where they are not sure pay for longer than others.
_SURE_TOKENS = 3
_NEARLY_ALL = 0.9
# Measured: a single draft token was slower than the line through more of them tells.
_ALONE_SLOWER = 1.17


class Prediction(Course):
    """``accepted_at``: of the drafts of the longest setting, the share that was accepted at each position."""

    accepted_at: Sequence[float] = ()

    @override
    def _course(self) -> Iterator[Visit]:
        tasks = short_tasks(self.plan.depth)[:_REQUESTS]
        for setting in PREDICTORS:
            yield from self._new(setting, tasks)
        likely = predicted(self.measured, self.accepted_at)
        if likely is not None:
            yield from self._new(likely, tasks)
            for p_min in _SURER:
                yield from self._new(DraftSetting(max(likely.n_max, _SURE_TOKENS), p_min), tasks)
        yield from self._longer(tasks)
        for finalist in filter(None, (OFF, self.best())):
            again = self._again(finalist, _REQUESTS)
            if self._affords(again):
                yield Visit(finalist, again)
        yield from self._last()

    def _longer(self, tasks: Sequence[Task]) -> Iterator[Visit]:
        """Where nearly all of what the best setting drafts is accepted, more may be better."""
        best, longest = self.best(), PREDICTORS[-1].n_max
        if best is not None and (accepted_share(self.measured.of(best)) or 0.0) >= _NEARLY_ALL:
            yield from self._new(DraftSetting(longest, best.p_min), tasks)


def predicted(measured: Measurements, accepted_at: Sequence[float]) -> DraftSetting | None:
    """The number of draft tokens that is probably the best, without a minimum probability. None: too little is known.

    Without counters the shares are taken to fall evenly, as they do when each position is as likely to be accepted.
    """
    short, long = PREDICTORS[1], PREDICTORS[2]
    step_short, step_long = _step(measured, short), _step(measured, long)
    per_step = tokens_per_step(measured.of(long))
    if step_short is None or step_long is None or per_step is None:
        return None
    each_s = max(step_long - step_short, 0.0) / (long.n_max - short.n_max)
    shares = tuple(accepted_at) or _even_shares(per_step, long.n_max)

    def speed(count: int) -> float:
        step_s = step_short + each_s * (count - short.n_max)
        return (1 + sum(shares[:count])) / step_s / (_ALONE_SLOWER if count == 1 else 1.0)

    return DraftSetting(max(range(1, long.n_max + 1), key=speed))


def _step(measured: Measurements, setting: DraftSetting) -> float | None:
    """Seconds per step."""
    cost, tokens = measured.cost(setting), tokens_per_step(measured.of(setting))
    return cost * tokens if cost is not None and tokens is not None else None


def _even_shares(tokens_per_step: float, count: int) -> tuple[float, ...]:
    """Powers of one share that add up to what was accepted per step."""
    low, high = 0.0, 1.0
    for _each in range(40):
        share = (low + high) / 2
        if sum(share**i for i in range(1, count + 1)) < tokens_per_step - 1:
            low = share
        else:
            high = share
    return tuple(low**i for i in range(1, count + 1))
