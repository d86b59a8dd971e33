"""The logs of servers on another computer, read by range."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from gglib_desktop.adapters.places.ssh.runs import Runs, folder_of
from gglib_desktop.adapters.places.ssh.watch import Grown, Watch
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.log_text import text_lines, without_escapes
from gglib_desktop.ports.servers.server_monitor import LogChunk

_HEAD_BYTES, _FIRST_LINE_BYTES, _TAIL_BYTES = 128 * 1024, 4096, 64 * 1024
_KEPT_RUNS = 50
_TRIM_EVERY_S = 5.0
_KEPT_SHARE = 0.25
# One answer: more would hold up what else goes over the link.
_MOST_BYTES = 2**20


class RemoteLogs:
    """``ServerLogs`` over the run folders there. ``most_bytes`` is asked how much a log may take."""

    def __init__(self, runs: Runs, watch: Watch, most_bytes: Callable[[], int]) -> None:
        self._runs = runs
        self._watch = watch
        self._most_bytes = most_bytes
        self._names: dict[str, str] = {}
        self._let_go: dict[str, int] = {}

    def known_as(self, run: str) -> None:
        """Folders there have shorter names than runs."""
        self._names[folder_of(run)] = run

    def size(self, run: str) -> int:
        return self._watch.log_sizes.get(folder_of(run), 0)

    async def read(self, run: str, offset: int, limit_bytes: int) -> LogChunk:
        self.known_as(run)
        most = min(limit_bytes, _MOST_BYTES)
        try:
            told = await self._runs.ask("log", run, str(offset), str(most))
            first, _line, data = told.partition(b"\n")
            size, gone, begins = map(int, first.split())
        except (RunnerUnavailable, ValueError):
            return LogChunk(b"", max(0, offset))
        self._watch.has_grown(folder_of(run), size)
        wanted = max(0, size + offset) if offset < 0 else offset if offset <= size else 0
        start = max(wanted, gone)
        data = data[start - begins :][: max(0, min(most, size - start))]
        return LogChunk(data, start + len(data), skipped=start if offset < 0 else start - wanted)

    async def beginning(self, run: str) -> str:
        head = await self.read(run, 0, _HEAD_BYTES)
        return "" if head.skipped else without_escapes(head.data.decode("utf-8", errors="replace"))

    async def last_lines(self, run: str) -> Sequence[str]:
        tail = await self.read(run, -_TAIL_BYTES, _TAIL_BYTES)
        if not tail.skipped:
            return text_lines(tail.data)
        head = await self.read(run, 0, _FIRST_LINE_BYTES)
        return (text_lines(head.data)[:1] if not head.skipped else []) + text_lines(tail.data)[1:]

    async def remove(self, run: str) -> None:
        with contextlib.suppress(RunnerUnavailable):
            await self._runs.ask("remove", run)

    async def prune(self, keep: Collection[str]) -> None:
        with contextlib.suppress(RunnerUnavailable):
            await self._runs.ask_all("prune", str(_KEPT_RUNS), *map(folder_of, keep))

    async def keep_trimmed(self, growing: Callable[[], Awaitable[Collection[str]]]) -> None:
        while True:
            for run in await growing():
                taken = self.size(run) - self._let_go.get(run, 0)
                if taken > self._most_bytes() and self._watch.outage is None:
                    await self._trim(run)
            await asyncio.sleep(_TRIM_EVERY_S)

    async def _trim(self, run: str) -> None:
        try:
            told = await self._runs.ask("trim", run, str(int(self._most_bytes() * _KEPT_SHARE)))
            self._let_go[run] = int(told or 0)
        except (RunnerUnavailable, ValueError):
            pass  # tried again in a while

    def on_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        key = object()

        def tell(sizes: Mapping[str, int]) -> None:
            callback({self._names.get(folder, folder): size for folder, size in sizes.items()})

        listeners: dict[object, Grown] = self._watch.listeners
        listeners[key] = tell
        return lambda: (listeners.pop(key, None), None)[1]
