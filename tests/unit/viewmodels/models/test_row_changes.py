"""Whatever is wanted, a list model becomes it, and announces exactly what it does."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from typing_extensions import override

from gglib_desktop.viewmodels.models.row_changes import apply_rows

_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class Table(QAbstractTableModel):
    def __init__(self, rows: list[int]) -> None:
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
        return str(self.rows[index.row()]) if role == Qt.ItemDataRole.DisplayRole else None

    def show(self, rows: list[int]) -> None:
        apply_rows(self, self.rows, rows)


class Mirror:
    """Knows a table by its announcements alone, as a view does."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.rows = list(table.rows)
        self.resets = 0
        table.rowsInserted.connect(self._on_inserted)
        table.rowsRemoved.connect(self._on_removed)
        table.modelReset.connect(self._on_reset)

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.rows[first:first] = self._table.rows[first : last + 1]

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def _on_reset(self) -> None:
        self.resets += 1
        self.rows = list(self._table.rows)


def some_rows(most: int = 12) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, most), max_size=most, unique=True)


@given(before=some_rows(), wanted=some_rows())
@example(before=[1, 2], wanted=[2, 1])
@example(before=[], wanted=[1])
@example(before=[1], wanted=[])
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
    left_out = data.draw(st.sets(st.sampled_from(rows))) if rows else set()
    wanted = [row for row in rows if row not in left_out] + [99]
    table = Table(rows)
    mirror = Mirror(table)
    table.show(wanted)
    assert (mirror.rows, mirror.resets) == (wanted, 0)


def test_an_equal_list_is_not_announced(qapp):
    rows = [1, 2]
    table = Table(rows)
    told: list[object] = []
    for signal in (table.rowsInserted, table.rowsRemoved, table.dataChanged, table.modelReset):
        signal.connect(lambda *args: told.append(args))
    table.show(list(rows))
    assert told == []


@pytest.mark.parametrize(("every", "resets"), [(100, 0), (10, 1)])
def test_changes_in_many_places_are_one_reset(qapp, every, resets):
    table = Table(list(range(1000)))
    mirror = Mirror(table)
    table.show([number for number in range(1000) if number % every])
    assert mirror.rows == table.rows
    assert len(mirror.rows) == 1000 - 1000 // every
    assert mirror.resets == resets


def test_neighbours_come_and_go_together(qapp):
    table = Table(list(range(10)))
    mirror = Mirror(table)
    told: list[tuple[int, int]] = []
    for signal in (table.rowsInserted, table.rowsRemoved):
        signal.connect(lambda _parent, first, last: told.append((first, last)))
    table.show([0, 1, 5, 6, 7, 20, 21, 22])
    assert told == [(8, 9), (2, 4), (5, 7)]
    assert mirror.rows == table.rows
    assert mirror.resets == 0


def test_thousands_that_come_or_go_are_one_reset_and_the_same_rows_are_no_change():
    rows = list(range(3000))
    table = Table(rows)
    told: list[str] = []
    table.modelReset.connect(lambda: told.append("reset"))
    table.rowsRemoved.connect(lambda *_: told.append("removed"))
    table.dataChanged.connect(lambda *_: told.append("changed"))
    apply_rows(table, table.rows, list(rows))
    assert told == []
    apply_rows(table, table.rows, rows[::2])
    assert told == ["reset"]
    assert table.rows == rows[::2]
