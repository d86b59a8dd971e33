"""What is asked while it is measured, and what one answer tells."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.advisor.settings import DraftSetting
from gglib_desktop.domain.values import Value


class TextKind(StrEnum):
    """What the answer is about. Code repeats itself more than prose, so it drafts differently."""

    CODE = "code"
    PROSE = "prose"


class Length(StrEnum):
    """Of the prompt."""

    SHORT = "short"
    LONG = "long"


class Basis(StrEnum):
    """What is compared: the CPU time of the server where the CPU computes, else the time on the clock."""

    CPU = "CPU time"
    WALL = "time"


@dataclass(frozen=True, order=True)
class Task(Value):
    """One question, the same for all settings. ``seed`` makes its answer the same each time.

    With several ``clients`` as many are asked at once, with seeds that follow each other.
    """

    kind: TextKind
    seed: int
    length: Length = Length.SHORT
    clients: int = 1


@dataclass(frozen=True)
class Sample(Value):
    """One answer, or those of all clients together.

    ``cost_s`` is what the whole request took, by the basis of the measurement. ``prompt_ms`` and ``gen_ms`` are the
    engine's own times, in which ``tokens`` were generated but for the first one of each client. ``text`` stands for
    the answer: equal texts have equal ones. ``visit`` counts the starts of the engine.
    """

    setting: DraftSetting
    task: Task
    tokens: int
    cost_s: float
    prompt_ms: float
    gen_ms: float
    draft_n: int = 0
    accepted_n: int = 0
    text: str = ""
    visit: int = 0

    @property
    def timed(self) -> int:
        """The tokens that were generated in ``gen_ms``."""
        return max(self.tokens - self.task.clients, 1)

    @property
    def steps(self) -> int:
        """Each yields one token besides those accepted."""
        return max(self.timed - self.accepted_n, 1)

    @property
    def counts(self) -> tuple[int, int]:
        """Two settings with equal counts for equal tasks are the same setting."""
        return self.draft_n, self.accepted_n


def accepted_share(samples: Sequence[Sample]) -> float | None:
    """Of what was drafted, from 0 to 1; None if nothing was."""
    drafted = sum(each.draft_n for each in samples)
    return sum(each.accepted_n for each in samples) / drafted if drafted else None


def tokens_per_step(samples: Sequence[Sample]) -> float | None:
    """None without answers."""
    steps = sum(each.steps for each in samples)
    return sum(each.timed for each in samples) / steps if steps else None


def drafted_per_step(samples: Sequence[Sample]) -> float:
    """0 without answers."""
    return sum(each.draft_n for each in samples) / max(sum(each.steps for each in samples), 1)


def tokens_per_s(samples: Sequence[Sample]) -> float | None:
    """On the clock, of the middle answer; None without answers."""
    speeds = [each.timed * 1e3 / each.gen_ms for each in samples if each.gen_ms > 0]
    return statistics.median(speeds) if speeds else None
