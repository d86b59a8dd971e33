"""Writes down what was read in logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import HistoryError, HistorySetAside
from gglib_desktop.ports.servers.request_store import RequestStore, RunNews
from gglib_desktop.services.traffic.log_follower import LogFollower
from gglib_desktop.services.traffic.news import RecordingNews, RecordingProblem, RequestsKept
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
_KEEP_EVERY_S = 1.0
_TRY_AGAIN_S = 10.0
_DROP_EVERY_ROWS = 1000
_DAY_S = 86_400.0


class HistoryWriter:
    """Keeps the news of all readings once a second, as long as there are any.

    Where the history cannot be written it waits until it can, without keeping what is read meanwhile:
    ``begin_again`` then makes the readings go on from what was kept.
    """

    def __init__(
        self,
        store: RequestStore,
        follower: LogFollower,
        tell: Callable[[RecordingNews], None],
        *,
        begin_again: Callable[[], Awaitable[None]],
        settings: Callable[[], AppSettings],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._follower = follower
        self._begin_again = begin_again
        self._tell = tell
        self._settings = settings
        self._clock = clock
        self._due = asyncio.Event()
        self._lock = asyncio.Lock()
        self._rows_since_drop = 0
        self._limits: tuple[int, int] | None = None
        self.is_paused = False

    def look(self) -> None:
        """There may be something to keep."""
        if not self._due.is_set() and any(reading.has_news for reading in self._follower.readings.values()):
            self._due.set()

    async def write(self, scope: TaskScope) -> None:
        """Goes on until it is cancelled; what is being written then is written all the same, by ``scope``."""
        while True:
            await self._due.wait()
            await asyncio.sleep(_TRY_AGAIN_S if self.is_paused else _KEEP_EVERY_S)
            self._due.clear()
            await asyncio.shield(scope.start(self.keep(), name="keep requests"))

    async def keep(self, *, all_of_it: bool = False) -> None:
        """Keeps what there is now, or pauses. ``all_of_it``: also how far logs were read that told nothing."""
        async with self._lock:
            try:
                if self.is_paused:
                    await self._resume()
                else:
                    await self._keep(all_of_it)
            except HistoryError as exc:
                await self.on_error(exc)
        self.look()

    async def on_error(self, error: HistoryError) -> None:
        """The first one is told. After a new file took the place of a damaged one, all logs are read again."""
        if isinstance(error, HistorySetAside):
            self._tell(RecordingProblem(error))
            try:
                await self._begin_again()
            except HistoryError as exc:
                await self.on_error(exc)
            return
        if not self.is_paused:
            _log.warning("requests are not recorded: %s", error)
            self._tell(RecordingProblem(error))
        self.is_paused = True
        for reading in self._follower.readings.values():
            reading.drop()
        self._due.set()

    async def _keep(self, all_of_it: bool) -> None:
        readings = self._follower.readings
        news = {run: reading.news() for run, reading in readings.items() if all_of_it or reading.has_news}
        if not news:
            return
        await self._store.keep(list(news.values()))
        for run, each in news.items():
            readings[run].was_kept(each)
            if each.read.over:
                self._follower.remove(run)
        rows = sum(len(each.rows) for each in news.values())
        if told := frozenset(run for run, each in news.items() if each.rows or each.refused):
            self._tell(RequestsKept(told))
        self._rows_since_drop += rows
        settings = self._settings()
        limits = settings.requests_keep_rows, settings.requests_keep_days
        if self._rows_since_drop >= _DROP_EVERY_ROWS or limits != self._limits:
            self._rows_since_drop, self._limits = 0, limits
            most_rows, days = limits
            await self._store.drop_old(most_rows=most_rows, oldest=self._clock() - days * _DAY_S)

    async def _resume(self) -> None:
        """Tries whether something can be written: what is written already."""
        await self._store.keep([RunNews(each.facts, each.kept) for each in self._follower.readings.values()][:1])
        _log.info("requests are recorded again")
        self.is_paused = False
        await self._begin_again()
