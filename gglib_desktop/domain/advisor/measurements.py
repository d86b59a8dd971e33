"""The answers of a measurement together: how fast each setting is, by its best answers.

Other work on a computer only ever makes an answer slower, so the fastest one tells more than a mean. Answers differ in
how well they can be drafted, so each is compared with what it had to compute: that of other answers, times their work,
would have taken as long.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Collection, Iterable, Sequence

from gglib_desktop.domain.advisor.samples import Sample, Task
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.advisor.verdict import Gain

# What a drafted token costs of a step, measured on models of several qualities.
_DRAFTED_WORK = 0.22
_DRAWS = 100
# By what factor a single answer may be wrong.
_ONE_ANSWER = 1.5
_TAIL = 0.10
_SEED = 14
# Two starts without drafting that differ by more show that the computer does other things.
STEADY = 1.10


class Measurements:
    """All answers so far, by setting, in their order."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._samples: dict[DraftSetting, list[Sample]] = {}
        self._pools: dict[DraftSetting, Sequence[Sample]] = {}
        self._costs: dict[DraftSetting, float] = {}
        for sample in samples:
            self.add(sample)

    def add(self, sample: Sample) -> None:
        self._samples.setdefault(sample.setting, []).append(sample)
        self._pools.clear()
        self._costs.clear()

    @property
    def settings(self) -> tuple[DraftSetting, ...]:
        """In the order in which they were first measured."""
        return tuple(self._samples)

    def of(self, setting: DraftSetting) -> Sequence[Sample]:
        return self._samples.get(setting, ())

    def only(self, wanted: Callable[[Task], bool]) -> Measurements:
        """The answers to some of the questions."""
        return Measurements(each for samples in self._samples.values() for each in samples if wanted(each.task))

    def tasks(self, setting: DraftSetting) -> frozenset[Task]:
        return frozenset(each.task for each in self.of(setting))

    def alike(self, setting: DraftSetting) -> tuple[DraftSetting, ...]:
        """All settings that drafted the same, this one included, so that their times are those of one."""
        return tuple(each for each in self._samples if each == setting or self._are_alike(each, setting))

    def _are_alike(self, one: DraftSetting, other: DraftSetting) -> bool:
        if not (one.drafts and other.drafts):
            return False
        theirs = {each.task: each.counts for each in self.of(other)}
        both = [(each.counts, theirs[each.task]) for each in self.of(one) if each.task in theirs]
        return len(both) >= 2 and all(mine == its for mine, its in both)

    def pooled(self, setting: DraftSetting) -> Sequence[Sample]:
        """Its answers and those of the settings that are alike."""
        if setting not in self._pools:
            self._pools[setting] = [each for like in self.alike(setting) for each in self.of(like)]
        return self._pools[setting]

    def cost(self, setting: DraftSetting, tasks: Collection[Task] | None = None) -> float | None:
        """Seconds per token, for these questions as far as it answered them. None: it answered none."""
        samples = self.pooled(setting)
        if setting not in self._costs and samples:
            self._costs[setting] = _unit_cost(samples)
        counted = {each.task: each for each in samples if tasks is None or each.task in tasks}.values()
        if not counted:
            return None
        return self._costs[setting] * sum(map(_work, counted)) / sum(each.timed for each in counted)

    def speed(self, setting: DraftSetting) -> float | None:
        """As a multiple of that without drafting; None while one of the two is not known."""
        off, cost = self.cost(OFF), self.cost(setting)
        return off / cost if off is not None and cost is not None else None

    def gain(self, setting: DraftSetting) -> Gain | None:
        """Its speed as ``speed`` tells it, with the range in which it lies with a certainty of 80 %."""
        ratio = self.speed(setting)
        ours, off = self.pooled(setting), self.of(OFF)
        if ratio is None:
            return None
        if min(len(ours), len(off)) < 2:
            return Gain(ratio, ratio / _ONE_ANSWER, ratio * _ONE_ANSWER)
        draw = random.Random(_SEED)  # noqa: S311  # the same samples are to lead to the same verdict
        theirs, mine = _weighed(off), _weighed(ours)
        ratios = sorted(_drawn_cost(draw, theirs) / _drawn_cost(draw, mine) for _each in range(_DRAWS))
        edge = int(_DRAWS * _TAIL)
        return Gain(ratio, min(ratios[edge], ratio), max(ratios[-1 - edge], ratio))

    @property
    def spread(self) -> float:
        """By what factor the best answers of two starts without drafting differ at least.

        What may be at most while there was but one.
        """
        best = sorted(_best_by_visit(self.of(OFF)))
        return best[1] / best[0] if len(best) > 1 else STEADY

    @property
    def is_steady(self) -> bool:
        """Whether two starts without drafting took the same time, but for ten percent. False after only one."""
        return len({each.visit for each in self.of(OFF)}) > 1 and self.spread <= STEADY

    @property
    def texts_agree(self) -> bool:
        """Whether every question got the same answer with all settings."""
        texts: dict[Task, str] = {}
        return all(
            texts.setdefault(each.task, each.text) == each.text
            for samples in self._samples.values()
            for each in samples
        )


def _work(sample: Sample) -> float:
    """In steps without drafting, but for a factor that is the same for all answers of one setting."""
    return sample.steps + _DRAFTED_WORK * sample.draft_n


def _generation_costs(samples: Sequence[Sample]) -> list[float]:
    """What generating cost in each request. Reading the prompt is left out by its share of the engine's own times.

    Its share in the middle request: that of a single one may be off where other programs came between.
    """
    shares: dict[Task, list[float]] = {}
    for each in samples:
        if each.task.clients == 1 and each.gen_ms > 0:
            shares.setdefault(each.task, []).append(each.gen_ms / (each.gen_ms + each.prompt_ms))
    middle = {task: statistics.median(known) for task, known in shares.items()}
    return [each.cost_s * middle.get(each.task, 1.0) for each in samples]


def _unit_cost(samples: Sequence[Sample]) -> float:
    return min(cost / _work(each) for cost, each in zip(_generation_costs(samples), samples, strict=True))


def _weighed(samples: Sequence[Sample]) -> list[tuple[float, float, int]]:
    """For each: the cost of a unit of work, its work, and its tokens."""
    works = map(_work, samples)
    return [
        (cost / work, work, each.timed)
        for cost, work, each in zip(_generation_costs(samples), works, samples, strict=True)
    ]


def _drawn_cost(draw: random.Random, weighed: Sequence[tuple[float, float, int]]) -> float:
    """The seconds per token by as many answers, drawn with repetitions."""
    drawn = draw.choices(weighed, k=len(weighed))
    best = min(unit for unit, _work, _timed in drawn)
    return best * sum(work for _unit, work, _timed in drawn) / sum(timed for _unit, _work, timed in drawn)


def _best_by_visit(samples: Sequence[Sample]) -> list[float]:
    visits: dict[int, list[Sample]] = {}
    for each in samples:
        visits.setdefault(each.visit, []).append(each)
    return [_unit_cost(each) for each in visits.values()]
