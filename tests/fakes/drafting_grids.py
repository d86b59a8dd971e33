"""Engines that draft as a table says: how fast each setting is, how much is accepted, and how noisy the times are."""

import random
from collections.abc import Callable, Mapping, Sequence

from gglib_desktop.domain.advisor.judging import is_wanting
from gglib_desktop.domain.advisor.measurements import Measurements
from gglib_desktop.domain.advisor.plan import Depth, Plan, Way, make_plan
from gglib_desktop.domain.advisor.prediction import Prediction
from gglib_desktop.domain.advisor.race import Race
from gglib_desktop.domain.advisor.samples import Length, Sample, Task
from gglib_desktop.domain.advisor.settings import OFF, PROBABILITIES, DraftSetting

REQUEST_S, START_S, TOKENS = 1.2, 0.5, 600
# The stricter a draft is the shorter it becomes.
_FILLED = (1.0, 0.85, 0.7, 0.6)
# Measured on a model of 218 MB whose draft layers are more and more noisy: speed against off, for n 1 to 6 and the four
# probabilities.
TRUTH = {
    "noise 0": (
        (1.28, 1.28, 1.00, 1.01),
        (1.56, 1.48, 1.19, 1.22),
        (1.70, 1.51, 1.22, 1.17),
        (1.79, 1.79, 1.25, 1.17),
        (1.86, 1.98, 1.13, 1.12),
        (2.02, 1.98, 1.19, 1.13),
    ),
    "noise 1": (
        (0.82, 0.90, 0.94, 0.91),
        (1.02, 1.16, 1.17, 1.15),
        (0.94, 1.10, 1.24, 1.11),
        (0.91, 0.97, 1.07, 1.15),
        (0.76, 0.95, 1.15, 1.07),
        (0.69, 0.97, 1.20, 1.17),
    ),
    "noise 3": (
        (0.92, 0.86, 0.98, 0.96),
        (0.90, 1.05, 0.91, 0.88),
        (0.81, 1.11, 0.83, 0.80),
        (0.80, 1.03, 0.78, 0.73),
        (0.75, 0.99, 0.82, 0.86),
        (0.70, 0.95, 0.73, 0.79),
    ),
}
# How much of what was drafted was accepted there.
ACCEPTED = {
    "noise 0": (0.94, 0.94, 1.0, 1.0),
    "noise 1": (0.35, 0.60, 1.0, 1.0),
    "noise 3": (0.30, 0.50, 0.40, 0.30),
}


class Grid:
    """``speeds`` has a row for each number of draft tokens; more of them than there are rows are slower and slower."""

    def __init__(self, speeds: Sequence[Sequence[float]], accepted: Sequence[float] = (0.6, 0.8, 0.9, 0.95)) -> None:
        self._speeds = speeds
        self._accepted = accepted

    def speed(self, setting: DraftSetting) -> float:
        if not setting.drafts:
            return 1.0
        row = self._speeds[min(setting.n_max, len(self._speeds)) - 1]
        beyond = max(setting.n_max - len(self._speeds), 0)
        return row[PROBABILITIES.index(setting.p_min)] * 0.95**beyond

    @property
    def best(self) -> float:
        return max(1.0, *(each for row in self._speeds for each in row))

    def sample(self, setting: DraftSetting, task: Task, visit: int, slowdown: float) -> Sample:
        # Answers differ in how well they can be drafted, and the same answer always in the same way.
        draw = random.Random(f"{setting} {task}")
        ease = draw.uniform(0.9, 1.1) if setting.drafts else 1.0
        accepted = min(self._accepted[PROBABILITIES.index(setting.p_min)] * ease, 1.0) if setting.drafts else 0.0
        filled = _FILLED[PROBABILITIES.index(setting.p_min)]
        steps = round(TOKENS / (1 + accepted * setting.n_max * filled))
        draft_n = round(steps * setting.n_max * filled)
        accepted_n = min(TOKENS - steps, draft_n)
        # Of a time per step and per drafted token that leads to the speed of the table for answers of usual ease.
        usual = self._accepted[PROBABILITIES.index(setting.p_min)] if setting.drafts else 0.0
        usual_steps = TOKENS / (1 + usual * setting.n_max * filled)
        cost_s = REQUEST_S / self.speed(setting) * steps / usual_steps
        prompt_s = 0.1 * REQUEST_S * (1.3 if setting.drafts else 1.0) * (20 if task.length is Length.LONG else 1)
        ms = 1e3 * slowdown
        total_s = (cost_s + prompt_s) * slowdown
        return Sample(
            setting, task, TOKENS + 1, total_s, prompt_s * ms, cost_s * ms, draft_n, accepted_n, str(task.seed), visit
        )


class Engine:
    """Drafts as engines do: each further token of a draft is less likely to be there, and costs the same.

    ``sure`` and ``right``: for each probability, how likely it is that a draft goes on, and that its next token is
    accepted then.
    """

    def __init__(
        self, sure: Sequence[float], right: Sequence[float], *, start: float = 0.3, token: float = 0.28
    ) -> None:
        self._sure, self._right, self._start, self._token = sure, right, start, token

    def shares(self, setting: DraftSetting) -> tuple[float, ...]:
        at = PROBABILITIES.index(setting.p_min)
        return tuple((self._sure[at] * self._right[at]) ** i for i in range(1, setting.n_max + 1))

    def _drafted(self, setting: DraftSetting) -> float:
        at = PROBABILITIES.index(setting.p_min)
        return sum(self._sure[at] ** i for i in range(1, setting.n_max + 1))

    def speed(self, setting: DraftSetting) -> float:
        if not setting.drafts:
            return 1.0
        return (1 + sum(self.shares(setting))) / (1 + self._start + self._token * self._drafted(setting))

    @property
    def best(self) -> float:
        return max(1.0, *(self.speed(DraftSetting(n, p)) for n in range(1, 7) for p in PROBABILITIES))

    def sample(self, setting: DraftSetting, task: Task, visit: int, slowdown: float) -> Sample:
        ease = random.Random(f"{setting.p_min} {task}").uniform(0.93, 1.07) if setting.drafts else 1.0
        steps = round(TOKENS / (1 + sum(self.shares(setting)) * ease)) if setting.drafts else TOKENS
        draft_n = round(steps * self._drafted(setting)) if setting.drafts else 0
        step_s = REQUEST_S / TOKENS
        cost_s = steps * step_s * (1 + self._start * setting.drafts) + draft_n * self._token * step_s
        prompt_s = 0.1 * REQUEST_S * (1.3 if setting.drafts else 1.0)
        accepted_n = min(TOKENS - steps, draft_n)
        return Sample(
            setting,
            task,
            TOKENS + 1,
            (cost_s + prompt_s) * slowdown,
            prompt_s * 1e3 * slowdown,
            cost_s * 1e3 * slowdown,
            draft_n,
            accepted_n,
            str(task.seed),
            visit,
        )


ENGINES = {
    "drafts well": Engine((1.0, 0.95, 0.6, 0.5), (0.93, 0.95, 0.98, 0.99)),
    "drafts fairly": Engine((1.0, 0.8, 0.6, 0.5), (0.6, 0.8, 0.97, 0.99)),
    "drafts badly": Engine((1.0, 0.7, 0.4, 0.3), (0.35, 0.72, 0.75, 0.8)),
    "drafts in vain": Engine((1.0, 0.9, 0.5, 0.3), (0.2, 0.25, 0.5, 0.6)),
}


def slower(draw: random.Random, noise: float) -> float:
    """Other programs only ever make an answer slower. ``noise`` is the coefficient of variation."""
    return 1 + abs(draw.gauss(0, noise)) * 1.25


def measure(
    grid: Grid | Engine,
    noise: float,
    seed: int,
    *,
    depth: Depth = Depth.QUICK,
    load_s: float = START_S,
    dies: Callable[[DraftSetting], bool] = lambda _setting: False,
    known: Measurements | None = None,
) -> tuple[Measurements, Plan, float]:
    """Runs a whole course on the grid. Also returns the seconds that it took."""
    plan, draw = make_plan(depth, load_s), random.Random(seed)
    measured = known or Measurements()
    course = (Race if plan.way is Way.RACE else Prediction)(plan, measured)
    elapsed_s, visits = 0.0, 0

    def visit_s(tasks: Sequence[Task]) -> float:
        return load_s + len(tasks) * REQUEST_S

    while True:
        is_extended = elapsed_s > plan.seconds * 0.8 and is_wanting(measured)
        visit = course.next((plan.most_seconds if is_extended else plan.seconds) - elapsed_s, visit_s)
        if visit is None:
            return measured, plan, elapsed_s
        elapsed_s += load_s
        visits += 1
        if dies(visit.setting):
            course.failed.add(visit.setting)
            continue
        for task in visit.tasks:
            sample = grid.sample(visit.setting, task, visits, slower(draw, noise))
            elapsed_s += sample.cost_s
            measured.add(sample)
            if not course.goes_on(visit.setting):
                break
        if isinstance(course, Prediction) and isinstance(grid, Engine) and visit.setting == plan.settings[-1]:
            course.accepted_at = grid.shares(visit.setting)


def generated() -> Mapping[str, Grid]:
    """Grids of any shape."""
    flat = [[1.2] * 4 for _n in range(6)]
    peak = [[1.5 - 0.12 * abs(n - 3) - 0.06 * abs(p - 1) for p in range(4)] for n in range(1, 7)]
    two = [
        [
            1.1 + (0.3 if (n, p) in {(2, 2), (2, 1)} else 0.0) + (0.25 if (n, p) == (6, 0) else 0.0) - 0.02 * p
            for p in range(4)
        ]
        for n in range(1, 7)
    ]
    off = [[0.9 - 0.05 * n for _p in range(4)] for n in range(1, 7)]
    return {
        "flat": Grid(flat),
        "one peak": Grid(peak),
        "two peaks": Grid(two),
        "off": Grid(off),
        "off by far": Grid([[0.5] * 4]),
    }


def chosen_speed(grid: Grid | Engine, setting: DraftSetting) -> float:
    """As a share of the best one."""
    return grid.speed(setting if setting.drafts else OFF) / grid.best
