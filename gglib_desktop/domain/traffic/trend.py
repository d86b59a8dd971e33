"""Where a line of values leads, in one word."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

# A speed wobbles by so much without meaning anything.
_STEADY_SHARE = 0.1
_PARTS = 4


class Trend(Enum):
    """``UNKNOWN``: too few values."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    UNKNOWN = "unknown"


def trend_of(values: Sequence[float | None]) -> Trend:
    """The last quarter of the observed values against the quarter before it."""
    observed = [value for value in values if value is not None]
    count = len(observed) // _PARTS
    if count == 0:
        return Trend.UNKNOWN
    now, before = sum(observed[-count:]), sum(observed[-2 * count : -count])
    if abs(now - before) <= _STEADY_SHARE * max(now, before):
        return Trend.STEADY
    return Trend.RISING if now > before else Trend.FALLING
