"""The requests that are kept, as rows in any order."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

from gglib_desktop.domain.traffic.request_columns import RequestColumn, sort_keys
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow
from gglib_desktop.ports.servers.request_store import KeptRequest

RequestRole = Qt.ItemDataRole.UserRole + 1
# For so many the keys take a few milliseconds; between them the event loop is free.
_KEYS_AT_ONCE = 10_000
_COLUMNS = tuple(RequestColumn)
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class RequestTable(QAbstractTableModel):
    """Holds requests; those with one result, or all, are rows. A row's RequestRole is the KeptRequest.

    The page sets the words: what stands in a cell, the title and the hint of each column, and the hint of a row.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.words: Callable[[RequestColumn, RequestRow], str] = lambda _column, _row: ""
        self.titles: Sequence[tuple[str, str]] = ()
        self.hint: Callable[[RequestRow], str] = lambda _row: ""
        self._all: list[KeptRequest] = []
        self._rows: list[KeptRequest] = []
        self._keys: list[float] = []
        self._result: RequestEnd | None = None
        self._column, self._descending = RequestColumn.TIME, True
        self._turn = 0
        # How often the shown requests, or their order, changed.
        self.changes = 0

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(_COLUMNS)

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.words(_COLUMNS[index.column()], self._rows[index.row()].row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.hint(self._rows[index.row()].row)
        if role == RequestRole:
            return self._rows[index.row()]
        return None

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.titles):
            return None
        title, hint = self.titles[section]
        return {Qt.ItemDataRole.DisplayRole: title, Qt.ItemDataRole.ToolTipRole: hint}.get(Qt.ItemDataRole(role))

    @property
    def requests(self) -> Sequence[KeptRequest]:
        """Those that are shown, in their order."""
        return self._rows

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return len(self._all)

    def add(self, requests: Sequence[KeptRequest]) -> Sequence[KeptRequest]:
        """Adds a few new ones, each to its place. Returns those that are shown."""
        self._all += requests
        shown = self._shown_of(requests)
        for request, key in zip(shown, self._keys_of(shown), strict=True):
            place = bisect_left(self._keys, key)
            self.beginInsertRows(_NO_PARENT, place, place)
            self._rows.insert(place, request)
            self._keys.insert(place, key)
            self.endInsertRows()
        self.changes += len(shown)
        return shown

    async def fill(self, requests: Sequence[KeptRequest]) -> None:
        """Adds many at once."""
        self._all += requests
        await self._arrange()

    def clear(self) -> None:
        self.beginResetModel()
        self._all, self._rows, self._keys = [], [], []
        self.changes += 1
        self.endResetModel()

    async def show_result(self, result: RequestEnd | None) -> None:
        """None: all."""
        self._result = result
        await self._arrange()

    async def order_by(self, column: RequestColumn, *, descending: bool) -> None:
        """Those without a value come last."""
        self._column, self._descending = column, descending
        await self._arrange()

    async def _arrange(self) -> None:
        self._turn += 1
        turn = self._turn
        rows: list[KeptRequest] = []
        keys: list[float] = []
        done = 0
        while done < len(self._all):
            piece = self._shown_of(self._all[done : done + _KEYS_AT_ONCE])
            done += _KEYS_AT_ONCE
            rows += piece
            keys += self._keys_of(piece)
            if len(self._all) > _KEYS_AT_ONCE:
                await asyncio.sleep(0)
            if turn != self._turn:
                return  # something else was asked for meanwhile, and does all of it
        order = sorted(range(len(rows)), key=keys.__getitem__)
        self._take([rows[place] for place in order], [keys[place] for place in order])

    def _keys_of(self, requests: Sequence[KeptRequest]) -> list[float]:
        return sort_keys([kept.row for kept in requests], self._column, descending=self._descending)

    def _shown_of(self, requests: Sequence[KeptRequest]) -> Sequence[KeptRequest]:
        if self._result is None:
            return requests
        return [kept for kept in requests if kept.row.end is self._result]

    def _take(self, rows: list[KeptRequest], keys: list[float]) -> None:
        """Selected requests stay selected while they are shown."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        numbers = {self._rows[index.row()].number for index in before}
        places = {kept.number: row for row, kept in enumerate(rows) if kept.number in numbers} if numbers else {}
        after = [self._index_of(self._rows[index.row()].number, index.column(), places) for index in before]
        self._rows, self._keys = rows, keys
        self.changes += 1
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _index_of(self, number: int, column: int, places: Mapping[int, int]) -> QModelIndex:
        row = places.get(number)
        return QModelIndex() if row is None else self.createIndex(row, column)
