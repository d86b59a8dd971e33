"""A server's log, followed live while somebody looks."""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.servers.log_text import LogLevel, levels_of, without_escapes
from gglib_desktop.ports.servers.server_monitor import LogChunk
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.log_table import LogTable

_TICK_S = 0.05
_IDLE_TICK_S = 0.1
# Of one chunk all lines are made in one go, in about 2 ms; between two the event loop is free.
_CHUNK_BYTES = 256 * 1024
_TICK_CHUNKS = 4
# Of a long log the end is shown first. The same much may wait to be shown; when it is more, most of it is left out.
_FIRST_BYTES = 16 * 1024 * 1024
_AFTER_SKIP_BYTES = 1024 * 1024
# What grows without a line end for so long is shown as lines of this length.
_LONGEST_LINE = 4000
_MOST_UNFINISHED = 64 * 1024
# A beginning of a line that stays so is shown after this many looks.
_LOOKS_AT_UNFINISHED = 3

ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]


class LineMaker:
    """Turns pieces of a log into lines, whatever the pieces' borders are."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = ""

    def lines(self, data: bytes) -> list[str]:
        """The lines that end in ``data``; what follows the last line end is kept for the next call."""
        done, end, self._unfinished = (self._unfinished + self._decoder.decode(data)).rpartition("\n")
        if len(self._unfinished) > _MOST_UNFINISHED:
            done, end, self._unfinished = done + end + self._unfinished, "\n", ""
        if not end:
            return []
        # With its last line end: where that is CR LF it is one.
        lines = without_escapes(done + "\n").split("\n")[:-1]
        return lines if len(max(lines, key=len)) <= _LONGEST_LINE else [part for line in lines for part in _parts(line)]

    def take_unfinished(self) -> str:
        """The beginning of a line, which the next call of ``lines`` goes on with."""
        text, self._unfinished = self._unfinished, ""
        # A line that was written over several times reads as it does last.
        return without_escapes(text).rstrip("\n").rpartition("\n")[2]

    def reset(self) -> None:
        self._decoder.reset()
        self._unfinished = ""


class LogViewModel(QObject):
    """Reads a log in pieces while it is shown, and tells of new lines at most twenty times a second.

    The log of a following run comes below that of the one before.
    """

    appended = Signal()
    nameChanged = Signal(str)
    saved = Signal(str)  # the file's path
    saveFailed = Signal(str)  # the system's reason

    def __init__(self, scope: TaskScope, read_log: ReadLog) -> None:
        super().__init__()
        self.table = LogTable(self)
        self._scope = scope
        self._read_log = read_log
        self._name = ""
        # The run whose turn it is when the present one's log has been read, and since when it runs.
        self._next: tuple[str, str] | None = None
        self._offset = -_FIRST_BYTES
        self._left_out = 0
        self._maker = LineMaker()
        # Read and not yet shown.
        self._lines: list[str] = []
        self._levels: list[LogLevel] = []
        self._level = LogLevel.INFO
        # The last row is the beginning of a line.
        self._line_is_open = False
        self._idle_looks = 0
        self._following: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The newest run's; empty before the first."""
        return self._next[0] if self._next else self._name

    def show_log(self, name: str) -> None:
        """Turns to the log of another run. The lines of the former one stay, above a line that separates the two."""
        if name in {"", self.name}:
            return
        if self._following is None and self.table.is_empty:
            self._turn_to(name)
        else:
            # After all that the former one wrote last.
            self._next = (name, time.strftime("%H:%M:%S"))
        self.nameChanged.emit(name)

    def set_shown(self, shown: bool) -> None:
        """Follows while shown; nothing on screen costs nothing."""
        if shown and self._following is None:
            self._following = self._scope.start(self._follow(), name="log")
        elif not shown and self._following is not None:
            self._following.cancel()
            self._following = None

    def save(self, path: Path) -> None:
        """Copies the newest run's whole log file, or what is shown when that is gone. ``saved`` or ``saveFailed``."""
        if self._saving is None or self._saving.done():
            self._saving = self._scope.start(self._save(path), name="save log")

    # -- following

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            came = await self._look()
            if came:
                self._idle_looks = 0
            elif self._next is not None:
                self._begin_next(*self._next)
            else:
                self._idle_looks += 1
                if self._idle_looks == _LOOKS_AT_UNFINISHED:
                    self._show_unfinished()
            pause = _TICK_S if came else _IDLE_TICK_S
            await asyncio.sleep(max(_TICK_S / 5, began + pause - loop.time()))

    async def _look(self) -> bool:
        """Shows what is new, up to a limit. Whether there was something."""
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
            # Also when this is cancelled: what was read is not read again.
            self._show()
        return True

    async def _skip_when_far_behind(self) -> None:
        """Nobody reads what rushes past so fast; people want to see what happens now."""
        size = await self._size()
        if size - self._offset > _FIRST_BYTES:
            self._left_out += size - _AFTER_SKIP_BYTES - self._offset
            self._offset = size - _AFTER_SKIP_BYTES

    async def _size(self) -> int:
        return (await self._read_log(self._name, -1, 1)).next_offset

    def _begin_next(self, name: str, since: str) -> None:
        self._show_unfinished()
        if not self.table.is_empty:
            self._note(self.tr("──── new run {since} ────").format(since=since))
            self._show()
        self._turn_to(name)

    def _turn_to(self, name: str) -> None:
        self._name, self._next = name, None
        self._offset, self._left_out = -_FIRST_BYTES, 0
        self._maker.reset()
        self._level = LogLevel.INFO

    # -- making lines

    def _take(self, chunk: LogChunk) -> None:
        """Makes lines of a chunk, below a note of what is missing before them."""
        before, self._offset = self._offset, chunk.next_offset
        data = chunk.data
        if 0 <= chunk.next_offset - len(data) < before:
            self._maker.reset()
            self._note(self.tr("… the log file was cut down; this is its new beginning"))
        missing = self._left_out + chunk.skipped
        if missing:
            # What follows begins in the middle of a line, most likely.
            rest, end, data = data.partition(b"\n")
            self._left_out = missing + len(rest) + len(end)
            if not end:
                return
            self._maker.reset()
            self._note(self._text_of_missing(is_kept=not chunk.skipped, is_first=before < 0))
            self._left_out = 0
        self._add(self._maker.lines(data))

    def _text_of_missing(self, *, is_kept: bool, is_first: bool) -> str:
        if is_first:
            text = self.tr("… {count} bytes before this are not shown")
        elif is_kept:
            text = self.tr("… {count} bytes skipped; they are in the log file")
        else:
            text = self.tr("… {count} bytes skipped; the log file keeps only its end")
        return text.format(count=f"{self._left_out:,}")

    def _add(self, lines: list[str]) -> None:
        if lines and self._line_is_open:
            self._line_is_open = False
            self.table.extend_last(lines.pop(0))
        if lines:
            levels = levels_of(lines, self._level)
            self._level = levels[-1]
            self._lines += lines
            self._levels += levels

    def _note(self, text: str) -> None:
        self._line_is_open = False
        self._lines.append(text)
        self._levels.append(LogLevel.NOTE)

    def _show_unfinished(self) -> None:
        text = self._maker.take_unfinished()
        if text:
            self._add([text])
            self._show()
            self._line_is_open = True

    def _show(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            levels, self._levels = self._levels, []
            self.table.append(lines, levels)
            self.appended.emit()

    # -- saving

    async def _save(self, path: Path) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            await self._copy_to(part)
            await asyncio.to_thread(part.replace, path)
        except OSError as exc:
            self.saveFailed.emit(exc.strerror or str(exc))
        else:
            self.saved.emit(str(path))
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    async def _copy_to(self, path: Path) -> None:
        name = self.name
        # Up to here; a server that goes on writing would keep this busy for ever.
        size = (await self._read_log(name, -1, 1)).next_offset if name else 0
        with await asyncio.to_thread(path.open, "wb") as file:
            if not size:
                await asyncio.to_thread(file.write, f"{self.table.text()}\n".encode(errors="replace"))
            offset = 0
            while offset < size:
                chunk = await self._read_log(name, offset, min(_CHUNK_BYTES, size - offset))
                if not chunk.data:
                    break
                await asyncio.to_thread(file.write, chunk.data)
                offset = chunk.next_offset


def _parts(line: str) -> list[str]:
    """A line, cut where it becomes too long to be painted."""
    return [line[begin : begin + _LONGEST_LINE] for begin in range(0, max(1, len(line)), _LONGEST_LINE)]
