"""Sums and percentiles of requests."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow

# So many are sorted in one by one faster than all are sorted again.
_FEW = 50
_NO_REQUESTS = frozenset({RequestEnd.NOT_RECORDED, RequestEnd.INTERVAL})


@dataclass(frozen=True)
class Spread:
    """What half and what 95 % of some values do not exceed."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Totals:
    """Sums of tokens, and how values of single requests spread. None: of no request it is known.

    No tokens are known of cancelled requests. ``prompt_n`` leaves out ``cached_n``. Speeds are in tokens per second.
    """

    requests: int = 0
    ok: int = 0
    cancelled: int = 0
    refused: int = 0
    full: int = 0
    prompt_n: int = 0
    cached_n: int = 0
    gen_n: int = 0
    draft_n: int = 0
    accepted_n: int = 0
    first_token_ms: Spread | None = None
    prompt_speed: Spread | None = None
    speed: Spread | None = None


class RunningTotals:
    """Totals of requests that are added piece by piece. A few take 1 ms, 100,000 at once some 300 ms."""

    def __init__(self, rows: Sequence[RequestRow] = ()) -> None:
        self._ends = dict.fromkeys(RequestEnd, 0)
        self._sums = dict.fromkeys(("prompt_n", "cached_n", "gen_n", "draft_n", "accepted_n"), 0)
        self._first_token_ms: list[float] = []
        self._prompt_speed: list[float] = []
        self._speed: list[float] = []
        self.add(rows)

    def add(self, rows: Sequence[RequestRow]) -> None:
        """Adds requests, and sums of intervals, which are none."""
        if not rows:
            return
        ends = _column(rows, "end")
        counts = {end: ends.count(end) for end in RequestEnd}
        for end, count in counts.items():
            self._ends[end] += count
        for name in self._sums:
            self._sums[name] += sum(filter(None, _column(rows, name)))
        if any(counts[end] for end in _NO_REQUESTS):
            rows = [row for row in rows if row.end not in _NO_REQUESTS]
        _add(self._first_token_ms, [ms for ms in _column(rows, "ttft_ms") if ms is not None])
        _add(self._prompt_speed, _speeds(rows, "prompt_n", "prompt_ms"))
        _add(self._speed, _speeds(rows, "timed_n", "gen_ms"))

    @property
    def totals(self) -> Totals:
        """Of all that were added so far."""
        ends = self._ends
        return Totals(
            requests=sum(count for end, count in ends.items() if end not in _NO_REQUESTS),
            ok=ends[RequestEnd.OK],
            cancelled=ends[RequestEnd.CANCELLED],
            refused=ends[RequestEnd.REFUSED],
            full=ends[RequestEnd.FULL],
            **self._sums,
            first_token_ms=_spread(self._first_token_ms),
            prompt_speed=_spread(self._prompt_speed),
            speed=_spread(self._speed),
        )


def totals_of(rows: Sequence[RequestRow]) -> Totals:
    """The totals of these alone."""
    return RunningTotals(rows).totals


def _column(rows: Sequence[RequestRow], name: str) -> list[Any]:
    return list(map(attrgetter(name), rows))


def _speeds(rows: Sequence[RequestRow], count: str, time_ms: str) -> Sequence[float]:
    # As the properties of each row, in a third of the time.
    pairs = zip(_column(rows, count), _column(rows, time_ms), strict=True)
    return [n * 1e3 / ms for n, ms in pairs if n and ms]


def _add(known: list[float], values: Sequence[float]) -> None:
    if len(values) <= _FEW:
        for value in values:
            insort(known, value)
    else:
        known.extend(values)
        known.sort()


def _spread(values: Sequence[float]) -> Spread | None:
    """Of values in their order. Between two of them it is in proportion."""
    return Spread(_percentile(values, 0.5), _percentile(values, 0.95)) if values else None


def _percentile(values: Sequence[float], share: float) -> float:
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
