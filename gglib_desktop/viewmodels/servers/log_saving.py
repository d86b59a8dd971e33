"""A server's log as a file of the user."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gglib_desktop.ports.servers.server_monitor import LogChunk
from gglib_desktop.tasks import TaskScope

ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]
_CHUNK_BYTES = 256 * 1024


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
