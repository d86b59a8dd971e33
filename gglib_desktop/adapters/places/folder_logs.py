"""The logs of a place that keeps them in a folder of this computer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.log_growth import LogGrowth
from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.ports.servers.server_monitor import LogChunk


class FolderLogs:
    """``ServerLogs`` over a folder, whose files are read in threads."""

    def __init__(self, folder: LogFolder, in_thread: InThread) -> None:
        self._folder = folder
        self._in_thread = in_thread
        self._growth = LogGrowth(folder.folder)

    def size(self, run: str) -> int:
        return self._folder.size(run)

    async def read(self, run: str, offset: int, limit_bytes: int) -> LogChunk:
        return await self._in_thread(self._folder.read, run, offset, limit_bytes)

    async def beginning(self, run: str) -> str:
        return await self._in_thread(self._folder.beginning, run)

    async def last_lines(self, run: str) -> Sequence[str]:
        return await self._in_thread(self._folder.last_lines, run)

    async def remove(self, run: str) -> None:
        self._folder.remove(run)  # quick, and also for a runner that has been left

    async def prune(self, keep: Collection[str]) -> None:
        await self._in_thread(self._folder.prune, keep)

    async def keep_trimmed(self, growing: Callable[[], Awaitable[Collection[str]]]) -> None:
        await self._folder.keep_trimmed(growing, in_thread=self._in_thread)

    def on_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        return self._growth.listen(callback)
