"""Changes a table model's rows with as little disturbance as possible."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex

Row = TypeVar("Row")
# Beyond this many single changes one reset is cheaper for the view.
_MOST_CHANGES = 200


def apply_rows(
    model: QAbstractTableModel, rows: list[Row], wanted: Sequence[Row], key: Callable[[Row], Hashable]
) -> None:
    """Makes ``rows``, the list behind ``model``, equal to ``wanted``, announcing what is inserted, removed or changed.

    Rows that stay must keep their order; otherwise, and when most rows change, the model is reset.
    """
    wanted_keys = [key(row) for row in wanted]
    present = {key(row) for row in rows}
    kept = present.intersection(wanted_keys)
    order_kept = [key(row) for row in rows if key(row) in kept] == [k for k in wanted_keys if k in kept]
    if not order_kept or len(present) + len(wanted_keys) - 2 * len(kept) > _MOST_CHANGES:
        model.beginResetModel()
        rows[:] = wanted
        model.endResetModel()
        return
    nowhere = QModelIndex()
    for index in range(len(rows) - 1, -1, -1):
        if key(rows[index]) not in kept:
            model.beginRemoveRows(nowhere, index, index)
            del rows[index]
            model.endRemoveRows()
    for index, row in enumerate(wanted):
        if index >= len(rows) or key(rows[index]) != wanted_keys[index]:
            model.beginInsertRows(nowhere, index, index)
            rows.insert(index, row)
            model.endInsertRows()
        elif rows[index] != row:
            rows[index] = row
            model.dataChanged.emit(model.index(index, 0), model.index(index, model.columnCount() - 1))
