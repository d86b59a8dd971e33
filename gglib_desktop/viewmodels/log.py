"""A server's log, followed live while somebody looks."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from typing_extensions import override

from gglib_desktop.domain.log_text import without_escapes
from gglib_desktop.ports.server_monitor import LogChunk
from gglib_desktop.tasks import TaskScope

MOST_LINES = 50_000
_POLL_S = 0.1
_CHUNK_BYTES = 256 * 1024
# Of a long log the end is shown first; what stands before is on disk.
_FIRST_BYTES = 1024 * 1024
_NO_PARENT = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex

ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]


class LogTable(QAbstractTableModel):
    """The last ``MOST_LINES`` lines as one column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: deque[str] = deque()

    @override
    def rowCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._lines)

    @override
    def columnCount(self, parent: _Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 1

    @override
    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and index.isValid():
            return self._lines[index.row()]
        return None

    def append(self, lines: list[str]) -> None:
        """Adds lines at the end, and drops as many at the beginning as are too many."""
        lines = lines[-MOST_LINES:]
        excess = len(self._lines) + len(lines) - MOST_LINES
        if excess > 0:
            self.beginRemoveRows(_NO_PARENT, 0, excess - 1)
            for _ in range(excess):
                self._lines.popleft()
            self.endRemoveRows()
        if lines:
            first = len(self._lines)
            self.beginInsertRows(_NO_PARENT, first, first + len(lines) - 1)
            self._lines.extend(lines)
            self.endInsertRows()

    def clear(self) -> None:
        self.beginResetModel()
        self._lines.clear()
        self.endResetModel()

    def text(self) -> str:
        return "\n".join(self._lines)


class LogViewModel(QObject):
    """Reads a log in pieces while it is shown, at most ten times a second."""

    appended = Signal()

    def __init__(self, scope: TaskScope, read_log: ReadLog) -> None:
        super().__init__()
        self.table = LogTable(self)
        self._scope = scope
        self._read_log = read_log
        self._name = ""
        self._offset = -_FIRST_BYTES
        self._unfinished = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._following: asyncio.Task[None] | None = None

    def show_log(self, name: str) -> None:
        """Turns to the log of another run."""
        if name != self._name:
            self._name = name
            self._offset = -_FIRST_BYTES
            self._unfinished = ""
            self._decoder.reset()
            self.table.clear()

    def set_shown(self, shown: bool) -> None:
        """Follows while shown; nothing on screen costs nothing."""
        if shown and self._following is None:
            self._following = self._scope.start(self._follow(), name="log")
        elif not shown and self._following is not None:
            self._following.cancel()
            self._following = None

    async def _follow(self) -> None:
        while True:
            if not await self._read_more():
                await asyncio.sleep(_POLL_S)

    async def _read_more(self) -> bool:
        """Whether there may be more to read right now."""
        name = self._name
        if not name:
            return False
        chunk = await self._read_log(name, self._offset, _CHUNK_BYTES)
        if name != self._name:
            return True
        self._offset = chunk.next_offset
        text = self._unfinished + self._decoder.decode(chunk.data)
        *lines, self._unfinished = without_escapes(text).split("\n")
        if chunk.skipped:
            lines[0:1] = [f"… {chunk.skipped} bytes before this are in the log file"]
        if lines:
            self.table.append(lines)
            self.appended.emit()
        # Even a flood is taken piece by piece, with the loop free in between.
        await asyncio.sleep(0)
        return len(chunk.data) == _CHUNK_BYTES
