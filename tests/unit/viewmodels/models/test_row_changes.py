"""Whatever is wanted, a list model becomes it, and announces exactly what it does."""

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from typing_extensions import override

from gglib_desktop.viewmodels.models.row_changes import apply_rows

_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Row:
    id: int
    text: str


class Table(QAbstractTableModel):
    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.rows = list(rows)

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return self.rows[index.row()].text if role == Qt.ItemDataRole.DisplayRole else None

    def show(self, rows: list[Row]) -> None:
        apply_rows(self, self.rows, rows, lambda row: row.id)


class Mirror:
    """Knows a table by its announcements alone, as a view does."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.rows = list(table.rows)
        self.resets = 0
        table.rowsInserted.connect(self._on_inserted)
        table.rowsRemoved.connect(self._on_removed)
        table.dataChanged.connect(self._on_changed)
        table.modelReset.connect(self._on_reset)

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.rows[first:first] = self._table.rows[first : last + 1]

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self.rows[first.row() : last.row() + 1] = self._table.rows[first.row() : last.row() + 1]

    def _on_reset(self) -> None:
        self.resets += 1
        self.rows = list(self._table.rows)


def some_rows(most: int = 12) -> st.SearchStrategy[list[Row]]:
    row = st.builds(Row, st.integers(0, most), st.sampled_from("ab"))
    return st.lists(row, max_size=most, unique_by=lambda each: each.id)


@given(before=some_rows(), wanted=some_rows())
@example(before=[Row(1, "a"), Row(2, "a")], wanted=[Row(2, "a"), Row(1, "a")])
@example(before=[], wanted=[Row(1, "a")])
@example(before=[Row(1, "a")], wanted=[])
@settings(deadline=None)
def test_rows_become_what_is_wanted_and_all_of_it_is_announced(qapp, before, wanted):
    table = Table(before)
    tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Warning)
    mirror = Mirror(table)
    table.show(wanted)
    assert table.rows == wanted
    assert mirror.rows == wanted
    del tester


@given(rows=some_rows(), data=st.data())
@settings(deadline=None)
def test_what_stays_in_order_is_never_reset(qapp, rows, data):
    left_out = data.draw(st.sets(st.sampled_from([row.id for row in rows]))) if rows else set()
    wanted = [row for row in rows if row.id not in left_out] + [Row(99, "new")]
    table = Table(rows)
    mirror = Mirror(table)
    table.show(wanted)
    assert (mirror.rows, mirror.resets) == (wanted, 0)


def test_an_equal_list_is_not_announced(qapp):
    rows = [Row(1, "a"), Row(2, "b")]
    table = Table(rows)
    told: list[object] = []
    for signal in (table.rowsInserted, table.rowsRemoved, table.dataChanged, table.modelReset):
        signal.connect(lambda *args: told.append(args))
    table.show(list(rows))
    assert told == []


def test_a_changed_row_alone_is_announced(qapp):
    table = Table([Row(number, "a") for number in range(5)])
    told: list[tuple[int, int]] = []
    table.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    table.show([Row(number, "b" if number == 3 else "a") for number in range(5)])
    assert told == [(3, 3)]


@pytest.mark.parametrize(("every", "resets"), [(100, 0), (10, 1)])
def test_changes_in_many_places_are_one_reset(qapp, every, resets):
    table = Table([Row(number, "a") for number in range(1000)])
    mirror = Mirror(table)
    table.show([Row(number, "a") for number in range(1000) if number % every])
    assert mirror.rows == table.rows
    assert len(mirror.rows) == 1000 - 1000 // every
    assert mirror.resets == resets


def test_neighbours_come_and_go_together(qapp):
    table = Table([Row(number, "a") for number in range(10)])
    mirror = Mirror(table)
    told: list[tuple[int, int]] = []
    for signal in (table.rowsInserted, table.rowsRemoved):
        signal.connect(lambda _parent, first, last: told.append((first, last)))
    table.show([Row(number, "a") for number in (0, 1, 5, 6, 7, 20, 21, 22)])
    assert told == [(8, 9), (2, 4), (5, 7)]
    assert mirror.rows == table.rows
    assert mirror.resets == 0


def test_thousands_that_come_or_go_are_one_reset_and_the_same_rows_are_no_change():
    rows = [Row(number, "x") for number in range(3000)]
    table = Table(rows)
    told: list[str] = []
    table.modelReset.connect(lambda: told.append("reset"))
    table.rowsRemoved.connect(lambda *_: told.append("removed"))
    table.dataChanged.connect(lambda *_: told.append("changed"))
    apply_rows(table, table.rows, list(rows), lambda row: row.id)
    assert told == []
    apply_rows(table, table.rows, rows[::2], lambda row: row.id)
    assert told == ["reset"]
    assert table.rows == rows[::2]
