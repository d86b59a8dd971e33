"""Holds the settings in force and follows their file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import (
    SettingsNews,
    SettingsReading,
    UnknownKey,
    differences,
    with_differences,
)
from gglib_desktop.domain.errors import InvalidSettings, SettingsEffect
from gglib_desktop.ports.machine.file_watch import FileWatch
from gglib_desktop.ports.machine.settings_store import SettingsStore
from gglib_desktop.services.events import EventSource

_log = logging.getLogger(__name__)


class SettingsKeeper:
    """The settings in force. ``problem`` says why the file, or a part of it, is not in force."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._events: EventSource[AppSettings] = EventSource()
        self.subscribe = self._events.add
        self._news: EventSource[SettingsNews] = EventSource()
        self.subscribe_to_news = self._news.add
        self._lock = asyncio.Lock()
        self._stored = store.load()
        self._told_unknown: set[str] = set()
        self.current = self._stored.settings
        self.problem = self._problem_at_start()

    @property
    def path(self) -> Path:
        return self._store.path

    def news_at_start(self) -> SettingsNews:
        """News about the file as it was found."""
        return SettingsNews(error=self.problem, unknown=self._new_unknown())

    async def change(self, **changes: object) -> None:
        """Saves other values and puts them in force, or does neither. Raises: ConfigurationError, SettingsError."""
        await self.save(self.current, self.current.replace(**changes))

    async def save(self, before: AppSettings, after: AppSettings) -> None:
        """Saves the changes on top of the file's present content, and puts it in force. Raises: SettingsError."""
        if before == after:
            return
        async with self._lock:
            expected = with_differences(self.current, differences(before, after))
            self._take(await asyncio.to_thread(self._store.save, before, after), expected)

    async def create_file(self) -> None:
        """Makes the file that people can edit, unless there is one. Raises: SettingsError."""
        await asyncio.to_thread(self._store.create)

    async def watch(self, file_watch: FileWatch) -> None:
        """Follows the file until this is cancelled."""
        async with contextlib.aclosing(file_watch.changes([self._store.path])) as changes:
            async for _batch in changes:
                await self.look()

    async def look(self) -> None:
        """Puts the file's present content in force, if it can be used."""
        async with self._lock:
            stored = await asyncio.to_thread(self._store.load)
            if stored != self._stored:
                self._take(stored, self.current)

    def _take(self, stored: SettingsReading, expected: AppSettings) -> None:
        """Reports what differs from ``expected`` (the settings after our own change, if any): the user wrote that."""
        mended, left_out, self._stored = self.problem is not None, self._stored.left_out, stored
        if stored.problems:
            self.problem = InvalidSettings(self.path, stored.problems, SettingsEffect.LAST_GOOD)
            _log.warning("%s", self.problem)
            self._news.emit(SettingsNews(error=self.problem))
            return
        self.problem = self._about_left_out()
        changed = stored.settings != self.current
        self.current = stored.settings
        news = SettingsNews(
            error=self.problem if stored.left_out != left_out else None,
            changed=differences(expected, self.current),
            unknown=self._new_unknown(),
            mended=mended and self.problem is None,
        )
        if changed:
            self._events.emit(self.current)
        if news:
            _log.info("the settings file was changed: %s", sorted(".".join(key) for key in news.changed))
            self._news.emit(news)

    def _new_unknown(self) -> tuple[UnknownKey, ...]:
        new = tuple(each for each in self._stored.unknown if each.key not in self._told_unknown)
        self._told_unknown.update(each.key for each in new)
        return new

    def _problem_at_start(self) -> InvalidSettings | None:
        problems = self._stored.problems
        if not problems:
            return self._about_left_out()
        partly = all(problem.key for problem in problems)
        effect = SettingsEffect.OTHERS_COUNT if partly else SettingsEffect.DEFAULTS
        return InvalidSettings(self.path, (*problems, *self._stored.left_out), effect)

    def _about_left_out(self) -> InvalidSettings | None:
        left_out = self._stored.left_out
        return InvalidSettings(self.path, left_out, SettingsEffect.LEFT_OUT) if left_out else None
