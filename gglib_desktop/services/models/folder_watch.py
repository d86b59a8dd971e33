"""Keeps the library in step with the disks while the program runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.models.model import Model
from gglib_desktop.ports.machine.file_watch import FileWatch
from gglib_desktop.services.models.library import Library
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
# Paths without changes for so long are looked at; paths that keep changing, now and then.
_REST_S = 1.0
_LONGEST_S = 10.0
# A broken file that changed this recently may still be written to.
_YOUNG_S = 60.0


class FolderWatch:
    """Makes the library look at changes in its places, and again at files that may still be growing."""

    def __init__(self, library: Library, watch: FileWatch, scope: TaskScope, *, rest_s: float = _REST_S) -> None:
        self._library = library
        self._watch = watch
        self._scope = scope
        self._rest_s = rest_s
        self._places: tuple[Path, ...] = ()
        self._following: asyncio.Task[None] | None = None
        # When a change of each was first and last reported.
        self._changed: dict[Path, tuple[float, float]] = {}
        self._news = asyncio.Event()

    def begin(self) -> None:
        """Watches from now on until the scope is closed."""
        self._library.subscribe(self._on_library)
        self._scope.start(self._look(), name="look at changes")
        self._on_library(self._library.models)

    def _on_library(self, models: Sequence[Model]) -> None:
        if self._library.folders.watched != self._places:
            self._places = self._library.folders.watched
            if self._following is not None:
                self._following.cancel()
            self._following = self._scope.start(self._follow(self._places), name="watch folders")
        self._note(_growing(models))

    async def _follow(self, places: tuple[Path, ...]) -> None:
        async with contextlib.aclosing(self._watch.changes(places)) as changes:
            async for batch in changes:
                self._note(batch)

    def _note(self, changed: Sequence[Path] | frozenset[Path]) -> None:
        now = time.monotonic()
        for path in changed:
            first, _last = self._changed.get(path, (now, now))
            self._changed[path] = first, now
        if changed:
            self._news.set()

    async def _look(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(self._rest_s / 2)
            now = time.monotonic()
            ripe = [
                path
                for path, (first, last) in self._changed.items()
                if now - last >= self._rest_s or now - first >= _LONGEST_S
            ]
            for path in ripe:
                del self._changed[path]
            if not self._changed:
                self._news.clear()
            if ripe:
                await self._look_at(ripe)

    async def _look_at(self, paths: Sequence[Path]) -> None:
        _log.debug("changed: %s", paths)
        try:
            await self._library.look_at(paths)
        except LibraryError as exc:
            _log.warning("%s", exc)
        self._note(_growing(self._library.models))


def _growing(models: Sequence[Model]) -> list[Path]:
    now = time.time_ns()
    return [
        model.path
        for model in models
        if model.problem is not None
        and not model.missing
        and model.mtime_ns is not None
        and 0 <= now - model.mtime_ns < _YOUNG_S * 1e9
    ]
