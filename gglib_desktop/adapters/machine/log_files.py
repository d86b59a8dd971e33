"""The log files of server runs: one for each run, read in pieces, bounded in size, old ones removed."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.domain.documents.settings import DEFAULT_LOG_BYTES
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.log_text import text_lines, without_escapes
from gglib_desktop.ports.servers.server_monitor import LogChunk

_log = logging.getLogger(__name__)
_KEPT_RUNS = 50
_TRIM_EVERY_S = 5.0
_HEAD_BYTES = 128 * 1024
_TAIL_BYTES = 64 * 1024
# Of the size that a log may have: trimming then is rare, and cheap where files have no holes.
_KEPT_SHARE = 0.25
# linux/falloc.h
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE = 0x01, 0x02


class LogFolder:
    """A folder of log files. A log has the name of its run.

    A log that takes more than ``most_bytes`` on disk, which is asked each time, is cut down to its last quarter by
    ``trim``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: Callable[[], int] = lambda: DEFAULT_LOG_BYTES,
        punch: Callable[[int, int], bool] | None = None,
    ) -> None:
        self._folder = folder
        self._punch = punch or punch_hole
        self._most_bytes = most_bytes

    @property
    def folder(self) -> Path:
        return self._folder

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def open_for_append(self, name: str) -> int:
        """A descriptor for the server's output: appending, so that several writers and a trim never overwrite.

        Raises: RunnerUnavailable when the log cannot be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            private.make_folder(self._folder)
            return os.open(self.path(name), flags, 0o600)
        except OSError as exc:
            raise RunnerUnavailable(f"cannot write the log {self.path(name)}: {exc.strerror}") from exc

    def size(self, name: str) -> int:
        """How much was ever written to a log, including a beginning that was dropped."""
        try:
            # Twice at each look at a server: making a Path takes longer than asking for the size.
            return os.stat(f"{self._folder}/{name}.log").st_size
        except OSError:
            return 0

    def read(self, name: str, offset: int, limit_bytes: int) -> LogChunk:
        """Blocks. A negative offset counts from the end; a log that has shrunk or is gone is read from its beginning.

        A dropped beginning is skipped.
        """
        try:
            with self.path(name).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                wanted = max(0, size + offset) if offset < 0 else offset if offset <= size else 0
                start, data = _read_data(file.fileno(), wanted, size, limit_bytes)
        except FileNotFoundError:
            return LogChunk(b"", 0)
        except OSError:
            return LogChunk(b"", max(0, offset))
        return LogChunk(data, start + len(data), skipped=start if offset < 0 else start - wanted)

    def beginning(self, name: str) -> str:
        """What a server wrote while it started, empty if that was dropped. Blocks."""
        head = self.read(name, 0, _HEAD_BYTES)
        return "" if head.skipped else without_escapes(head.data.decode("utf-8", errors="replace"))

    def last_lines(self, name: str) -> list[str]:
        """The first line and the last lines of a log, enough to find the reason for its end."""
        head = self.read(name, 0, 4096)
        tail = self.read(name, -_TAIL_BYTES, _TAIL_BYTES)
        if not tail.skipped:
            return text_lines(tail.data)
        first = text_lines(head.data)[:1] if not head.skipped else []
        return first + text_lines(tail.data)[1:]

    def trim(self, name: str) -> None:
        """Drops the beginning of a log that has become too long, while a server writes to it. Blocks."""
        try:
            self._trim(self.path(name))
        except FileNotFoundError:
            pass  # it was removed; the server goes on writing to the invisible file
        except OSError as exc:
            _log.warning("cannot trim the log %s: %s", name, exc.strerror)

    async def keep_trimmed(
        self,
        growing: Callable[[], Awaitable[Iterable[str]]],
        *,
        every_s: float = _TRIM_EVERY_S,
        in_thread: InThread = asyncio.to_thread,
    ) -> None:
        """Trims the logs of running servers repeatedly until it is cancelled.

        Only logs that are too long need a thread: with 50 servers, asking for each of them every time took a third
        of a percent of a core.
        """
        while True:
            for name in await growing():
                if self._is_too_long(name):
                    await in_thread(self.trim, name)
            await asyncio.sleep(every_s)

    def _is_too_long(self, name: str) -> bool:
        try:
            return _taken_bytes(self.path(name).stat()) > self._most_bytes()
        except OSError:
            return False

    def remove(self, name: str) -> None:
        _remove(self.path(name))

    def prune(self, keep: Collection[str]) -> None:
        """Removes all but the newest logs and those in ``keep``. Blocks."""
        found = sorted(self._folder.glob("*.log"), key=_changed_at, reverse=True)
        for path in found[_KEPT_RUNS:]:
            if path.stem not in keep:
                _remove(path)

    def _trim(self, path: Path) -> None:
        with path.open("r+b", buffering=0) as file:
            stat = os.fstat(file.fileno())
            most_bytes = self._most_bytes()
            if _taken_bytes(stat) <= most_bytes:
                return
            block = getattr(stat, "st_blksize", 0) or 4096
            let_go = (stat.st_size - int(most_bytes * _KEPT_SHARE)) // block * block
            if let_go > 0 and not self._punch(file.fileno(), let_go):
                _keep_tail(path, stat.st_size - let_go)


def _taken_bytes(stat: os.stat_result) -> int:
    """On disk; the dropped beginning takes no space."""
    blocks: int | None = getattr(stat, "st_blocks", None)
    return stat.st_size if blocks is None else blocks * 512


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        _log.warning("cannot remove the log %s: %s", path, exc.strerror)


def _read_data(fd: int, wanted: int, size: int, limit_bytes: int) -> tuple[int, bytes]:
    """The first existing bytes at or after ``wanted``, and their offset."""
    start = _data_start(fd, wanted, size)
    while True:
        os.lseek(fd, start, os.SEEK_SET)
        data = os.read(fd, limit_bytes)
        # A part that a trim dropped meanwhile was read as zeros.
        still = _data_start(fd, start, size)
        if still == start:
            return start, data
        start = still


def _data_start(fd: int, offset: int, size: int) -> int:
    """Where data begins at or after ``offset``; ``size`` if there is none."""
    if offset >= size or not hasattr(os, "SEEK_DATA"):
        return offset
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as exc:
        return size if exc.errno == errno.ENXIO else offset


def punch_hole(fd: int, length: int) -> bool:
    """Returns the first ``length`` bytes to the file system; every other byte keeps its place. False: unsupported.

    A program that has the file open goes on appending and loses nothing.
    """
    if sys.platform != "linux":
        return False
    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate64
    except AttributeError:
        return False
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if fallocate(fd, _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE, 0, length) == 0:
        return True
    error = ctypes.get_errno()
    if error in {errno.EOPNOTSUPP, errno.ENOSYS}:
        return False
    raise OSError(error, os.strerror(error))


def _keep_tail(path: Path, length: int) -> None:
    """Rewrites the end of a file on file systems without holes. A line written at this very moment may be lost."""
    with path.open("rb", buffering=0) as file:
        file.seek(-length, os.SEEK_END)
        tail = file.read()
    os.truncate(path, 0)
    with path.open("ab", buffering=0) as file:
        file.write(tail)
