"""Requests as a table: what its columns are sorted by, and what is exported of it."""

from __future__ import annotations

import io
import json
import math
from array import array
from bisect import bisect_left
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
# For so many, zip() is quickest.
_ROWS_AT_ONCE = 1000


class RequestValues:
    """What requests are sorted by, column by column: to touch 100,000 of them takes longer than to sort their keys."""

    def __init__(self) -> None:
        self.count = 0
        # Packed: the numbers of the rows lie scattered in memory, and comparing those takes twice as long.
        self._keys = {column: array("d") for column in RequestColumn}

    def add(self, rows: Sequence[RequestRow]) -> None:
        """Adds them behind those that are there, of which there are ``count``."""
        self.count += len(rows)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            columns = zip(*rows[first : first + _ROWS_AT_ONCE], strict=True)
            values = dict(zip(RequestRow._fields, columns, strict=True))
            for column, name in _FIELDS.items():
                self._keys[column].extend([math.inf if value is None else value for value in values[name]])
            for column, names in _SPEEDS.items():
                pairs = zip(*(values[name] for name in names), strict=True)
                self._keys[column].extend([n / ms if n and ms else math.inf for n, ms in pairs])
            self._keys[RequestColumn.RESULT].extend(map(_ENDS.__getitem__, values["end"]))

    def sort_keys(self, column: RequestColumn) -> Sequence[float]:
        """Of all requests; infinite for those without a value."""
        return self._keys[column]

    def places(self, column: RequestColumn, among: Iterable[int], *, descending: bool) -> list[int]:
        """Requests in the order of their keys, and as they came where these are equal. The infinite ones are last."""
        keys = self._keys[column]
        found = sorted(among, key=keys.__getitem__, reverse=descending)
        if descending:
            unknown = bisect_left(found, True, key=lambda place: keys[place] != math.inf)
            return found[unknown:] + found[:unknown]
        return found


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
