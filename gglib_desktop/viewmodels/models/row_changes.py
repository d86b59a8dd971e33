"""Changes a table model's rows with as little disturbance as possible."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex

Row = TypeVar("Row")
# Beyond this many runs of rows to insert or remove, one reset is cheaper for the view.
_MOST_RUNS = 32
# If that many come or go, they hardly do so in few runs, and looking would take longer than a reset.
_MOST_ROWS = 1000


def apply_rows(
    model: QAbstractTableModel, rows: list[Row], wanted: Sequence[Row], key: Callable[[Row], Hashable]
) -> None:
    """Makes ``rows``, the list behind ``model``, equal to ``wanted``, announcing what is inserted, removed or changed.

    Neighbours come and go together. Rows that stay must keep their order; otherwise, and when rows change in many
    places, the model is reset.
    """
    # Compared by identity, in microseconds: each key stroke in a long list comes through here.
    if rows == wanted:
        return
    there = len(rows)
    if len(wanted) > there > 0 and rows == wanted[:there]:
        # The first of thousands of models look on while the last come in.
        _insert(model, rows, wanted, [(there, len(wanted) - 1)])
        return
    if abs(len(wanted) - there) > _MOST_ROWS:
        _reset(model, rows, wanted)
        return
    keys, wanted_keys = list(map(key, rows)), list(map(key, wanted))
    if keys != wanted_keys:
        kept = set(keys).intersection(wanted_keys)
        # No more are looked for than decide.
        gone_runs = list(islice(_runs(index for index, k in enumerate(keys) if k not in kept), _MOST_RUNS + 1))
        new_runs = list(islice(_runs(index for index, k in enumerate(wanted_keys) if k not in kept), _MOST_RUNS + 1))
        too_many = len(gone_runs) + len(new_runs) > _MOST_RUNS
        if too_many or [k for k in keys if k in kept] != [k for k in wanted_keys if k in kept]:
            _reset(model, rows, wanted)
            return
        _remove(model, rows, gone_runs)
        _insert(model, rows, wanted, new_runs)
    last_column = model.columnCount() - 1
    for index, row in enumerate(wanted):
        if rows[index] is not row and rows[index] != row:
            rows[index] = row
            model.dataChanged.emit(model.index(index, 0), model.index(index, last_column))


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
