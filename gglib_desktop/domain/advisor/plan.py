"""What a measurement is going to do, and how long that takes. All of it is known before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.advisor.samples import Length, Task, TextKind
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting

QUICK_S, QUICK_AT_MOST_S = 60.0, 90.0
THOROUGH_S, THOROUGH_AT_MOST_S = 240.0, 300.0
QUICK_LOAD_S = 3.0
"""A model that loads faster than this can be started for each setting."""
REQUEST_S = 1.5
"""What one request is to take."""
RACERS = (OFF, *(DraftSetting(n, p) for n, p in ((2, 0.75), (3, 0.5), (1, 0.0), (4, 0.0), (6, 0.5))))
PREDICTORS = (OFF, DraftSetting(2), DraftSetting(6))
CLIENTS = 4
_LAST_STARTS = 8
_VISIT_REQUESTS = 2
_RACE_STARTS = (16, 32)


class Depth(StrEnum):
    """How much is measured."""

    QUICK = "quick"
    THOROUGH = "thorough"


class Way(StrEnum):
    """A race starts the engine for each setting that may be the best; a prediction from few starts spares most."""

    RACE = "race"
    PREDICTION = "prediction"


@dataclass(frozen=True)
class Plan:
    """``seconds`` is what it takes, ``most_seconds`` on a busy computer. ``starts``: of the engine, at most.

    ``settings`` are tried first; what they show decides about further ones. ``load_s`` is what a start takes, as far as
    that is known or can be told from the file. ``short_of_bytes``: so much memory is missing for a second copy of the
    model; 0: it fits, as far as is known.
    """

    depth: Depth
    way: Way
    seconds: float
    most_seconds: float
    starts: int
    settings: tuple[DraftSetting, ...]
    load_s: float
    short_of_bytes: int = 0

    @property
    def fits(self) -> bool:
        return self.short_of_bytes <= 0


def make_plan(depth: Depth, load_s: float, *, short_of_bytes: int = 0) -> Plan:
    """``load_s``: from the start of the engine until it answers."""
    is_quick = depth is Depth.QUICK
    budget_s, most_s = (QUICK_S, QUICK_AT_MOST_S) if is_quick else (THOROUGH_S, THOROUGH_AT_MOST_S)
    if load_s <= QUICK_LOAD_S:
        starts = _RACE_STARTS[0 if is_quick else 1]
        return Plan(depth, Way.RACE, budget_s, most_s, starts, RACERS, load_s, short_of_bytes)
    starts = len(PREDICTORS) + _LAST_STARTS
    seconds = max(budget_s, starts * (load_s + len(short_tasks(depth)) / 2 * REQUEST_S))
    return Plan(depth, Way.PREDICTION, seconds, max(most_s, seconds * 1.5), starts, PREDICTORS, load_s, short_of_bytes)


def short_tasks(depth: Depth) -> tuple[Task, ...]:
    """The questions of one client, in the order in which each setting gets them."""
    count = 8 if depth is Depth.QUICK else 16
    return tuple(Task(TextKind.PROSE if i % 2 else TextKind.CODE, seed=1 + i) for i in range(count))


def last_tasks(depth: Depth) -> tuple[Task, ...]:
    """What is asked in the end, without drafting and with the best setting."""
    if depth is Depth.QUICK:
        return (Task(TextKind.PROSE, 101, Length.LONG),)
    long = tuple(Task(kind, seed, Length.LONG) for seed in (101, 102) for kind in TextKind)
    return (*long, *(Task(kind, seed, clients=CLIENTS) for seed in (201, 211) for kind in TextKind))
