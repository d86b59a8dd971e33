"""The lines of a log that are kept: which are shown, and where a text occurs in them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

from gglib_desktop.domain.servers.log_text import LogLevel

MOST_LINES = 100_000
# A log of very long lines must not fill the memory.
_MOST_CHARACTERS = 32 * 1024 * 1024
LevelRole = Qt.ItemDataRole.UserRole + 1
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class LogMatches:
    """The shown lines that contain the sought text, by their ascending numbers. ``text`` is in lower case."""

    def __init__(self) -> None:
        self.text = ""
        self.numbers: list[int] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def drop_before(self, number: int) -> None:
        del self.numbers[: bisect_left(self.numbers, number)]

    def position(self, number: int) -> int:
        """Which match a line is, from 1 on; 0 if it is none."""
        position = bisect_left(self.numbers, number)
        return position + 1 if self.numbers[position : position + 1] == [number] else 0

    def next(self, number: int, *, forward: bool) -> int | None:
        """The match after a line or, backward, before it; it wraps around."""
        if not self.numbers:
            return None
        position = bisect_right(self.numbers, number) % len(self) if forward else bisect_left(self.numbers, number) - 1
        return self.numbers[position]


class LogTable(QAbstractTableModel):
    """The last ``most_lines`` lines as one column; those of a level and above are rows.

    Every line has a number that it keeps while older ones are dropped. A row's DisplayRole is the line, its LevelRole
    the LogLevel.
    """

    def __init__(self, parent: QObject | None = None, *, most_lines: int = MOST_LINES) -> None:
        super().__init__(parent)
        self._most_lines = most_lines
        self._lines: list[str] = []
        self._levels: list[LogLevel] = []
        self._characters = 0
        self._first = 0
        self._least = LogLevel.DEBUG
        # Ascending numbers of the lines that are shown.
        self._shown: range | list[int] = range(0)
        self.matches = LogMatches()
        # The longest shown line of the present period and of the one before; a period ends after a full table of lines.
        self._longest = self._longest_before = ""
        self._dropped = 0

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._shown)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._lines[self._shown[index.row()] - self._first]
        if role == LevelRole:
            return self._levels[self._shown[index.row()] - self._first]
        return None

    @property
    def longest_line(self) -> str:
        """The longest line that is shown, or was until recently."""
        return max(self._longest, self._longest_before, key=len)

    @property
    def is_empty(self) -> bool:
        """Whether there is no line at all, shown or not."""
        return not self._lines

    def line(self, row: int) -> str:
        return self._lines[self._shown[row] - self._first]

    def number_at(self, row: int) -> int | None:
        """The number of the line in a row; it stays while rows come and go."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def row_near(self, number: int) -> int:
        """The row of this line or, if it is not shown, of the next shown one."""
        return min(bisect_left(self._shown, number), len(self._shown) - 1)

    def text(self) -> str:
        """All shown lines."""
        return "\n".join(self._lines[number - self._first] for number in self._shown)

    # -- growing

    def append(self, lines: Sequence[str], levels: Sequence[LogLevel]) -> None:
        """Adds lines at the end, and drops lines at the beginning if there are too many."""
        lines, levels = lines[-self._most_lines :], levels[-self._most_lines :]
        self._make_room(len(lines), sum(map(len, lines)))
        start = self._first + len(self._lines)
        new = [number for number, level in enumerate(levels, start) if level >= self._least]
        if new:
            self.beginInsertRows(_NO_PARENT, len(self._shown), len(self._shown) + len(new) - 1)
        self._lines += lines
        self._levels += levels
        if new:
            self._shown = self._shown + new if isinstance(self._shown, list) else self._all()
            self.matches.numbers += self._matching(new)
            self._longest = max(self._longest, self._longest_of(new), key=len)
            self.endInsertRows()

    def extend_last(self, text: str) -> None:
        """Continues the newest line."""
        number = self._first + len(self._lines) - 1
        self._lines[-1] += text
        self._characters += len(text)
        row = len(self._shown) - 1
        if row < 0 or self._shown[row] != number:
            return
        self._longest = max(self._longest, self._lines[-1], key=len)
        if not self.matches.position(number):
            self.matches.numbers += self._matching([number])
        self.dataChanged.emit(self.index(row, 0), self.index(row, 0))

    def _make_room(self, lines: int, characters: int) -> None:
        count = max(0, len(self._lines) + lines - self._most_lines)
        self._characters += characters - sum(map(len, self._lines[:count]))
        while self._characters > _MOST_CHARACTERS and count < len(self._lines):
            self._characters -= len(self._lines[count])
            count += 1
        if count:
            self._drop(count)

    def _drop(self, count: int) -> None:
        first = self._first + count
        rows = bisect_left(self._shown, first)
        if rows:
            self.beginRemoveRows(_NO_PARENT, 0, rows - 1)
        del self._lines[:count], self._levels[:count]
        self._first = first
        if rows:
            self._shown = self._shown[rows:]
            self.matches.drop_before(first)
            self.endRemoveRows()
        self._dropped += count
        if self._dropped >= self._most_lines:
            self._dropped = 0
            self._longest, self._longest_before = "", self._longest

    # -- filtering

    def show_from(self, least: LogLevel) -> None:
        """Shows the lines of this level and above."""
        if least is self._least:
            return
        self.beginResetModel()
        self._least = least
        shown = [number for number, level in enumerate(self._levels, self._first) if level >= least]
        self._shown = self._all() if least is LogLevel.DEBUG else shown
        self.matches.numbers = self._matching(self._shown)
        self._longest, self._longest_before = self._longest_of(self._shown), ""
        self.endResetModel()

    # -- searching

    def search(self, text: str) -> None:
        """Looks for a text in all present and future rows, whatever the case."""
        before, self.matches.text = self.matches.text, text.lower()
        # A longer text can only occur where the shorter one does.
        narrows = before and before in self.matches.text
        self.matches.numbers = self._matching(self.matches.numbers if narrows else self._shown)

    def match_position(self, row: int) -> int:
        """Which match a row is, from 1 on; 0 if it is none."""
        number = self.number_at(row)
        return 0 if number is None else self.matches.position(number)

    def next_match(self, row: int, *, forward: bool = True) -> int | None:
        """The row of the next match after ``row`` or, backward, before it; it wraps around."""
        number = self.number_at(row)
        match = self.matches.next(-1 if number is None else number, forward=forward)
        return None if match is None else bisect_left(self._shown, match)

    def _all(self) -> range:
        return range(self._first, self._first + len(self._lines))

    def _matching(self, numbers: Iterable[int]) -> list[int]:
        wanted, lines, first = self.matches.text, self._lines, self._first
        if wanted and numbers is self._shown and len(self._shown) == len(lines):
            return [number for number, line in enumerate(lines, first) if wanted in line.lower()]
        return [number for number in numbers if wanted in lines[number - first].lower()] if wanted else []

    def _longest_of(self, numbers: Iterable[int]) -> str:
        lines, first = self._lines, self._first
        return max((lines[number - first] for number in numbers), key=len, default="")
