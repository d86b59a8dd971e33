"""The requests that are kept, as rows in any order."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

from gglib_desktop.domain.traffic.request_columns import RequestColumn, RequestValues
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow
from gglib_desktop.ports.servers.request_store import KeptRequest

RequestRole = Qt.ItemDataRole.UserRole + 1
# For so many they take a few milliseconds; between them the event loop is free.
_VALUES_AT_ONCE = 5_000
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
        self._values = RequestValues()
        # The places of the shown ones, in their order; another one may be wanted already.
        self._shown: list[int] = []
        self._order = self._shown_order = (RequestColumn.TIME, True)
        self._result: RequestEnd | None = None
        self._turn = 0
        # How often the shown requests, or their order, changed.
        self.changes = 0

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(_COLUMNS)

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.words(_COLUMNS[index.column()], self.request(index.row()).row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.hint(self.request(index.row()).row)
        if role == RequestRole:
            return self.request(index.row())
        return None

    @override
    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.titles):
            return None
        title, hint = self.titles[section]
        return {Qt.ItemDataRole.DisplayRole: title, Qt.ItemDataRole.ToolTipRole: hint}.get(Qt.ItemDataRole(role))

    def request(self, row: int) -> KeptRequest:
        return self._all[self._shown[row]]

    @property
    def requests(self) -> Sequence[KeptRequest]:
        """Those that are shown, in their order."""
        return [self._all[place] for place in self._shown]

    @property
    def rows(self) -> list[RequestRow]:
        """Of those that are shown, in no order, which is quicker."""
        return [kept.row for kept in self._all if self._is_shown(kept)]

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return len(self._all)

    def add(self, requests: Sequence[KeptRequest]) -> list[RequestRow]:
        """Adds a few new ones, each to its place. Returns those that are shown."""
        first = len(self._all)
        self._all += requests
        self._add_values(len(self._all))
        shown = [place for place in range(first, len(self._all)) if self._is_shown(self._all[place])]
        for place in shown:
            row = bisect_left(self._shown, (self._rank(place)[0], -1), key=self._rank)
            self.beginInsertRows(_NO_PARENT, row, row)
            self._shown.insert(row, place)
            self.endInsertRows()
        self.changes += len(shown)
        return [self._all[place].row for place in shown]

    async def fill(self, requests: Sequence[KeptRequest]) -> None:
        """Adds many at once."""
        self._all += requests
        await self._arrange()

    def clear(self) -> None:
        self.beginResetModel()
        self._turn += 1
        self._all, self._values = [], RequestValues()
        self._shown, self._shown_order = [], self._order
        self.changes += 1
        self.endResetModel()

    async def show_result(self, result: RequestEnd | None) -> None:
        """None: all."""
        self._result = result
        await self._arrange()

    async def order_by(self, column: RequestColumn, *, descending: bool) -> None:
        """Those without a value come last."""
        self._order = (column, descending)
        await self._arrange()

    async def _arrange(self) -> None:
        self._turn += 1
        turn = self._turn
        while self._values.count < len(self._all):
            self._add_values(self._values.count + _VALUES_AT_ONCE)
            if len(self._all) > _VALUES_AT_ONCE:
                await asyncio.sleep(0)
            if turn != self._turn:
                return  # something else was asked for meanwhile, and does all of it
        places: Iterable[int] = range(len(self._all))
        if self._result is not None:
            places = [place for place in places if self._is_shown(self._all[place])]
        column, descending = self._order
        self._take(self._values.places(column, places, descending=descending))

    def _add_values(self, end: int) -> None:
        self._values.add([kept.row for kept in self._all[self._values.count : end]])

    def _rank(self, place: int) -> tuple[float, int]:
        """Which goes up with the rows."""
        column, descending = self._shown_order
        key = self._values.sort_keys(column)[place]
        return (-key if descending and key != math.inf else key), place

    def _is_shown(self, request: KeptRequest) -> bool:
        return self._result is None or request.row.end is self._result

    def _take(self, shown: list[int]) -> None:
        """Selected requests stay selected while they are shown."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        places = [self._shown[index.row()] for index in before]
        self._shown, self._shown_order = shown, self._order
        self.changes += 1
        rows = map(self._row_of, places)
        after = [self._index_of(row, index.column()) for row, index in zip(rows, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _row_of(self, place: int) -> int | None:
        """Of a request in the present order, in which those with the same key stand as they came."""
        row = bisect_left(self._shown, self._rank(place), key=self._rank)
        return row if row < len(self._shown) and self._shown[row] == place else None

    def _index_of(self, row: int | None, column: int) -> QModelIndex:
        return QModelIndex() if row is None else self.createIndex(row, column)
