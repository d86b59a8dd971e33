"""A server's log, followed live while the user sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.servers.log_text import LevelOf
from gglib_desktop.ports.servers.server_monitor import LogChunk
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.log_lines import LogLines
from gglib_desktop.viewmodels.servers.log_table import LogTable

_TICK_S = 0.05
_IDLE_TICK_S = 0.1
# All lines of one chunk are made in one go, in about 2 ms; between two the event loop is free.
_CHUNK_BYTES = 256 * 1024
_TICK_CHUNKS = 4
# The end of a long log is shown first. The same amount may wait to be shown; if it is more, most of it is left out.
_FIRST_BYTES = 16 * 1024 * 1024
_AFTER_SKIP_BYTES = 1024 * 1024
# An unfinished line that does not grow is shown after this many looks.
_LOOKS_AT_UNFINISHED = 3
ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]


class LogViewModel(QObject):
    """Reads a log in pieces while it is shown, and reports new lines at most twenty times a second.

    The log of the next run comes below that of the one before.
    """

    appended = Signal()
    nameChanged = Signal(str)

    def __init__(self, scope: TaskScope, read_log: ReadLog, level_of: LevelOf) -> None:
        super().__init__()
        self.table = LogTable(self)
        self._scope = scope
        self._read_log = read_log
        self._name = ""
        # The run that follows when the present one's log has been read, and since when it runs.
        self._next: tuple[str, str] | None = None
        self._offset = -_FIRST_BYTES
        self._left_out = 0
        self._lines = LogLines(self.table, level_of)
        self._following: asyncio.Task[None] | None = None
        self.saving = LogSaving(scope, read_log, lambda: self.name, self.table.text, self)

    @property
    def name(self) -> str:
        """The newest run's; empty before the first."""
        return self._next[0] if self._next else self._name

    def show_log(self, name: str) -> None:
        """Switches to the log of another run. The lines of the former one stay, above a line that separates the two."""
        if name in {"", self.name}:
            return
        if self._following is None and self.table.is_empty:
            self._turn_to(name)
        else:
            # After everything that the former one wrote last.
            self._next = (name, time.strftime("%H:%M:%S"))
        self.nameChanged.emit(name)

    def set_shown(self, shown: bool) -> None:
        """Follows while shown; a hidden log costs nothing."""
        if shown and self._following is None:
            self._following = self._scope.start(self._follow(), name="log")
        elif not shown and self._following is not None:
            self._following.cancel()
            self._following = None

    # -- following

    async def _follow(self) -> None:
        loop, idle_looks = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            came = await self._look()
            if came:
                idle_looks = 0
            elif self._next is not None:
                self._begin_next(*self._next)
            else:
                idle_looks += 1
                if idle_looks == _LOOKS_AT_UNFINISHED:
                    self._show_unfinished()
            pause = _TICK_S if came else _IDLE_TICK_S
            await asyncio.sleep(max(_TICK_S / 5, began + pause - loop.time()))

    async def _look(self) -> bool:
        """Shows new lines, up to a limit. Whether there were any."""
        if not self._name:
            return False
        try:
            for _ in range(_TICK_CHUNKS):
                chunk = await self._read_log(self._name, self._offset, _CHUNK_BYTES)
                self._take(chunk)
                if len(chunk.data) < _CHUNK_BYTES:
                    return bool(chunk.data)
                await asyncio.sleep(0)
            await self._skip_when_far_behind()
        finally:
            # Even if this is cancelled: the same part is not read twice.
            self._show()
        return True

    async def _skip_when_far_behind(self) -> None:
        """A log that rushes past cannot be read; the user wants to see what happens now."""
        size = await self._size()
        if size - self._offset > _FIRST_BYTES:
            self._left_out += size - _AFTER_SKIP_BYTES - self._offset
            self._offset = size - _AFTER_SKIP_BYTES

    async def _size(self) -> int:
        return (await self._read_log(self._name, -1, 1)).next_offset

    def _begin_next(self, name: str, since: str) -> None:
        self._show_unfinished()
        if not self.table.is_empty:
            self._lines.note(self.tr("──── new run {since} ────").format(since=since))
            self._show()
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        self._name, self._next = name, None
        self._offset, self._left_out = -_FIRST_BYTES, 0
        self._lines.begin_run()

    # -- making lines

    def _take(self, chunk: LogChunk) -> None:
        """Makes lines from a chunk, below a note about missing ones."""
        before, self._offset = self._offset, chunk.next_offset
        data = chunk.data
        if 0 <= chunk.next_offset - len(data) < before:
            self._lines.note(self.tr("… the log file was cut down; this is its new beginning"), gap=True)
        missing = self._left_out + chunk.skipped
        if missing:
            # The next line most likely begins in its middle.
            rest, end, data = data.partition(b"\n")
            self._left_out = missing + len(rest) + len(end)
            if not end:
                return
            self._lines.note(self._text_of_missing(is_kept=not chunk.skipped, is_first=before < 0), gap=True)
            self._left_out = 0
        self._lines.add(data)

    def _text_of_missing(self, *, is_kept: bool, is_first: bool) -> str:
        if is_first:
            text = self.tr("… {count} bytes before this are not shown")
        elif is_kept:
            text = self.tr("… {count} bytes skipped; they are in the log file")
        else:
            text = self.tr("… {count} bytes skipped; the log file keeps only its end")
        return text.format(count=f"{self._left_out:,}")

    def _show(self) -> None:
        if self._lines.show():
            self.appended.emit()

    def _show_unfinished(self) -> None:
        if self._lines.show_unfinished():
            self.appended.emit()


class LogSaving(QObject):
    """Copies the newest run's whole log, or what is shown if that is gone. At most one copy at a time."""

    saved = Signal(str)  # the file's path
    failed = Signal(str)  # the system's reason

    def __init__(
        self, scope: TaskScope, read_log: ReadLog, newest: Callable[[], str], shown: Callable[[], str], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._scope = scope
        self._read_log = read_log
        self._newest = newest
        self._shown = shown
        self._saving: asyncio.Task[None] | None = None

    def save(self, path: Path) -> None:
        """``saved`` or ``failed`` reports the end."""
        if self._saving is None or self._saving.done():
            self._saving = self._scope.start(self._save(path), name="save log")

    async def _save(self, path: Path) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            await self._copy_to(part)
            await asyncio.to_thread(part.replace, path)
        except OSError as exc:
            self.failed.emit(exc.strerror or str(exc))
        else:
            self.saved.emit(str(path))
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def _copy_to(self, path: Path) -> None:
        name = self._newest()
        # Only up to here; a server that goes on writing would keep this busy forever.
        size = (await self._read_log(name, -1, 1)).next_offset if name else 0
        with await asyncio.to_thread(path.open, "wb") as file:
            if not size:
                await asyncio.to_thread(file.write, f"{self._shown()}\n".encode(errors="replace"))
            offset = 0
            while offset < size:
                chunk = await self._read_log(name, offset, min(_CHUNK_BYTES, size - offset))
                if not chunk.data:
                    break
                await asyncio.to_thread(file.write, chunk.data)
                offset = chunk.next_offset
