"""What a measurement shows: drafting on, with which settings, or off; or that it shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.advisor.samples import Length, TextKind
from gglib_desktop.domain.advisor.settings import OFF, DraftSetting
from gglib_desktop.domain.values import Value

LEAST_GAIN = 1.03
"""Drafting is advised only where its gain is certain to be at least this."""


class Doubt(StrEnum):
    """Why there is no verdict."""

    BUSY = "the computer is too busy: two measurements without drafting differ by more than 10 %"
    TOO_LITTLE = "too little was measured"


@dataclass(frozen=True)
class Gain(Value):
    """The speed with drafting as a multiple of that without; ``low`` to ``high`` is certain to 80 %."""

    ratio: float
    low: float
    high: float


def is_open(gain: Gain, spread: float = 1.0) -> bool:
    """Whether it may be enough as well as too little. ``spread``: a factor by which the speed may be wrong besides."""
    return gain.low / spread < LEAST_GAIN <= gain.high * spread


@dataclass(frozen=True)
class Line(Value):
    """The gain of the chosen setting for one kind of use. ``best``: the setting that would be the best for it alone.

    ``kind`` None: code and prose together. ``gain`` None: not measured enough.
    """

    kind: TextKind | None
    length: Length
    clients: int
    gain: Gain | None
    best: DraftSetting | None = None


@dataclass(frozen=True)
class Verdict(Value):
    """``doubt``: there is none, and no number either. ``setting`` OFF: drafting does not pay.

    ``gain`` is that of the setting, or where it is OFF, that of the best one with drafting. ``lines`` tell it for each
    kind of use. ``first_token_ms`` is that of the setting, ``off_first_token_ms`` that without drafting. ``off_ms``:
    for each request without drafting, milliseconds per token on the clock. ``same_text``: all settings gave the same
    answers.
    """

    setting: DraftSetting = OFF
    gain: Gain | None = None
    lines: tuple[Line, ...] = ()
    first_token_ms: float | None = None
    off_first_token_ms: float | None = None
    off_ms: tuple[float, ...] = ()
    same_text: bool = True
    doubt: Doubt | None = None
    runner_up: DraftSetting | None = None

    @property
    def is_on(self) -> bool:
        return self.doubt is None and self.setting.drafts
