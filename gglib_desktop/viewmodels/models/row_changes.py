"""Changes a table model's rows with as little disturbance as possible."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice
from operator import indexOf, ne
from typing import TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex

Row = TypeVar("Row", bound=Hashable)
# Beyond this many runs of rows to insert or remove, one reset is cheaper for the view.
_MOST_RUNS = 32
# Between the first and the last change. In longer parts, looking for runs would take longer than a reset.
_MOST_ROWS = 1000


def apply_rows(model: QAbstractTableModel, rows: list[Row], wanted: Sequence[Row]) -> None:
    """Makes ``rows``, the list behind ``model``, equal to ``wanted``, announcing what is inserted or removed.

    Neighbours come and go together. Rows that stay must keep their order; otherwise, and when rows change in many
    places, the model is reset. No two rows are equal.
    """
    shorter = min(len(rows), len(wanted))
    begin = _alike(rows, wanted, shorter)
    if begin == len(rows) == len(wanted):
        return
    after = _alike(reversed(rows), reversed(wanted), shorter - begin)
    old, new = rows[begin : len(rows) - after], wanted[begin : len(wanted) - after]
    # Not where others are added after them: the first of thousands of models look on while the last come in.
    if max(len(old), len(new)) > _MOST_ROWS and (old or not begin):
        _reset(model, rows, wanted)
        return
    kept = set(old).intersection(new)
    # No more are looked for than decide.
    gone_runs = list(islice(_runs(n for n, row in enumerate(old, begin) if row not in kept), _MOST_RUNS + 1))
    new_runs = list(islice(_runs(n for n, row in enumerate(new, begin) if row not in kept), _MOST_RUNS + 1))
    too_many = len(gone_runs) + len(new_runs) > _MOST_RUNS
    if too_many or [row for row in old if row in kept] != [row for row in new if row in kept]:
        _reset(model, rows, wanted)
    else:
        _remove(model, rows, gone_runs)
        _insert(model, rows, wanted, new_runs)


def _alike(some: Iterable[Row], others: Iterable[Row], most: int) -> int:
    """How many are equal at the beginning, at most ``most``."""
    try:
        return min(indexOf(map(ne, some, others), True), most)
    except ValueError:
        return most


def _reset(model: QAbstractTableModel, rows: list[Row], wanted: Sequence[Row]) -> None:
    model.beginResetModel()
    rows[:] = wanted
    model.endResetModel()


def _runs(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours."""
    first = previous = None
    for index in indexes:
        if first is None or previous is None:
            first = index
        elif index != previous + 1:
            yield first, previous
            first = index
        previous = index
    if first is not None and previous is not None:
        yield first, previous


def _remove(model: QAbstractTableModel, rows: list[Row], runs: Sequence[tuple[int, int]]) -> None:
    for first, last in reversed(runs):
        model.beginRemoveRows(QModelIndex(), first, last)
        del rows[first : last + 1]
        model.endRemoveRows()


def _insert(
    model: QAbstractTableModel, rows: list[Row], wanted: Sequence[Row], runs: Sequence[tuple[int, int]]
) -> None:
    for first, last in runs:
        model.beginInsertRows(QModelIndex(), first, last)
        rows[first:first] = wanted[first : last + 1]
        model.endInsertRows()
