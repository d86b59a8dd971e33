"""The log files of server runs: one for each run, read in pieces, old ones removed."""

from __future__ import annotations

import os
from pathlib import Path

from gglib_desktop.domain.log_text import text_lines
from gglib_desktop.ports.server_monitor import LogChunk

_KEPT_RUNS = 50
_TAIL_BYTES = 64 * 1024


class LogFolder:
    """A folder of log files. A log's name is its run's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def open_for_append(self, name: str) -> int:
        """A descriptor for the server's output: appending, so that several writers and a trim never overwrite."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)

    def size(self, name: str) -> int:
        try:
            return self.path(name).stat().st_size
        except OSError:
            return 0

    def read(self, name: str, offset: int, limit_bytes: int) -> LogChunk:
        """Blocks. A negative offset counts from the end; a log that became shorter is read from its beginning."""
        try:
            with self.path(name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = max(0, size + offset) if offset < 0 else offset if offset <= size else 0
                file.seek(start)
                data = file.read(limit_bytes)
        except OSError:
            return LogChunk(b"", max(0, offset))
        return LogChunk(data, start + len(data), skipped=start if offset < 0 else 0)

    def last_lines(self, name: str) -> list[str]:
        """The first line and the lines at the end of a log, as far as a reason for its end may stand there."""
        head = self.read(name, 0, 4096).data
        tail = self.read(name, -_TAIL_BYTES, _TAIL_BYTES)
        if not tail.skipped:
            return text_lines(tail.data)
        return text_lines(head)[:1] + text_lines(tail.data)[1:]

    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    def prune(self, keep: set[str]) -> None:
        """Removes all but the newest logs and those in ``keep``. Blocks."""
        found = sorted(self._folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in found[_KEPT_RUNS:]:
            if path.stem not in keep:
                path.unlink(missing_ok=True)
