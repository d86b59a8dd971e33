"""How far a measurement is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.advisor.plan import Plan
from gglib_desktop.domain.advisor.settings import DraftSetting
from gglib_desktop.domain.values import Value


class ArmState(StrEnum):
    """What becomes of one setting. ``DROPPED``: it is so slow that it is asked no more."""

    WAITING = "waiting"
    STARTING = "starting"
    MEASURING = "measuring"
    MEASURED = "measured"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True)
class Arm(Value):
    """One setting, as far as it was measured. None: not known yet.

    ``speed`` is its speed as a multiple of that without drafting, ``tokens_per_s`` on the clock. ``accepted`` is the
    share of what was drafted, from 0 to 1. ``problem``: why its engine failed.
    """

    setting: DraftSetting
    state: ArmState = ArmState.WAITING
    requests: int = 0
    speed: float | None = None
    tokens_per_s: float | None = None
    accepted: float | None = None
    tokens_per_step: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Progress:
    """``share`` is from 0 to 1. ``arms`` are in the order in which they were first tried, that without drafting first.

    ``extended``: the computer is busy, so it takes longer than planned.
    """

    plan: Plan
    arms: tuple[Arm, ...] = ()
    elapsed_s: float = 0.0
    current: DraftSetting | None = None
    extended: bool = False

    @property
    def share(self) -> float:
        whole = self.plan.most_seconds if self.extended else self.plan.seconds
        return min(self.elapsed_s / whole, 1.0)
