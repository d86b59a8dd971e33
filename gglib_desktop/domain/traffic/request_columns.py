"""Requests as a table: what its columns are sorted by, and what is exported of it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from enum import Enum

from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts

_ENDS = {end: float(place) for place, end in enumerate(RequestEnd)}
_KEYS = (
    "started", "run", "model", "task", "slot", "ttft_ms", "prompt_n", "cached_n", "prompt_ms", "gen_n", "gen_ms",
    "draft_n", "accepted_n", "end", "n_max", "p_min", "build",
)  # fmt: skip
_OF_ROW = frozenset(RequestRow._fields)


class RequestColumn(Enum):
    """In their order on the screen."""

    TIME = 0
    FIRST_TOKEN = 1
    PROMPT = 2
    CACHED = 3
    GENERATED = 4
    PROMPT_SPEED = 5
    SPEED = 6
    DRAFTED = 7
    ACCEPTED = 8
    RESULT = 9


# The columns that are sorted by a field; speeds are computed from two of them, and results have an order of their own.
_FIELDS = {
    RequestColumn.TIME: "started",
    RequestColumn.FIRST_TOKEN: "ttft_ms",
    RequestColumn.PROMPT: "prompt_n",
    RequestColumn.CACHED: "cached_n",
    RequestColumn.GENERATED: "gen_n",
    RequestColumn.DRAFTED: "draft_n",
    RequestColumn.ACCEPTED: "accepted_n",
}
_SPEEDS = {RequestColumn.PROMPT_SPEED: ("prompt_n", "prompt_ms"), RequestColumn.SPEED: ("timed_n", "gen_ms")}
_SORTED_BY = frozenset(_FIELDS.values()) | {name for names in _SPEEDS.values() for name in names}
# For so many, zip() is quickest.
_ROWS_AT_ONCE = 1000


class RequestValues:
    """What requests are sorted by, field by field: to touch 100,000 of them takes longer than to sort their keys."""

    def __init__(self) -> None:
        self.count = 0
        self._ends: list[RequestEnd] = []
        self._numbers: dict[str, list[float | None]] = {name: [] for name in _SORTED_BY}

    def add(self, rows: Sequence[RequestRow]) -> None:
        """Adds them behind those that are there, of which there are ``count``."""
        self.count += len(rows)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            fields = zip(*rows[first : first + _ROWS_AT_ONCE], strict=True)
            for name, values in zip(RequestRow._fields, fields, strict=True):
                if name == "end":
                    self._ends += values
                elif name in _SORTED_BY:
                    self._numbers[name] += values

    def sort_keys(self, column: RequestColumn, first: int, end: int, *, descending: bool) -> list[float]:
        """Of the requests from ``first`` to before ``end``.

        By ascending keys they stand in that order; those without a value are always last.
        """
        sign, last, part = -1 if descending else 1, math.inf, slice(first, end)
        if column is RequestColumn.RESULT:
            return [sign * _ENDS[end] for end in self._ends[part]]
        if column in _SPEEDS:
            counts, times = (self._numbers[name][part] for name in _SPEEDS[column])
            return [sign * n / ms if n and ms else last for n, ms in zip(counts, times, strict=True)]
        return [last if value is None else sign * value for value in self._numbers[_FIELDS[column]][part]]


def csv_text(requests: Iterable[tuple[RunFacts, RequestRow]]) -> str:
    """With a header. What is not known is empty."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_KEYS)
    writer.writerows(_record(run, row).values() for run, row in requests)
    return text.getvalue()


def json_text(requests: Iterable[tuple[RunFacts, RequestRow]]) -> str:
    """A list of objects, one on each line. What is not known is null."""
    lines = [json.dumps(_record(run, row), ensure_ascii=False) for run, row in requests]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _record(run: RunFacts, row: RequestRow) -> dict[str, object]:
    return {key: getattr(row if key in _OF_ROW else run, key) for key in _KEYS}
