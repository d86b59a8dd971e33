"""Keeps the library in step with the folders of other computers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.errors import LibraryError, RunnerUnavailable
from gglib_desktop.ports.models.model_repository import ScannedFiles
from gglib_desktop.ports.models.place_files import PlaceFiles
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.models.scanning import Elsewhere
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)


class OpenedFiles(ScannedFiles, Protocol):
    """Those of one scan."""

    def close(self) -> None:
        """Ends what a thread waits for."""


class PlacesScan:
    """Scans a place when it is opened or can be reached again, after its folders changed, and when the user asks.

    A place that cannot be reached changes nothing.
    """

    def __init__(
        self,
        library: Library,
        places: Callable[[], Mapping[str, PlaceSettings]],
        open_files: Callable[[PlaceFiles], OpenedFiles],
        scope: TaskScope,
    ) -> None:
        self._library = library
        self._places = places
        self._open_files = open_files
        self._scope = scope
        self._files: dict[str, PlaceFiles] = {}
        self._endings: dict[str, Callable[[], None]] = {}
        self._seen: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        library.scans.asked.add(lambda _none: self.look())

    def follow(self, place: str, files: PlaceFiles | None) -> None:
        """A place was opened, or left where ``files`` is None."""
        self._seen.pop(place, None)
        if end := self._endings.pop(place, None):
            end()
        if running := self._running.pop(place, None):
            running.cancel()
        self._again.discard(place)
        if files is None:
            self._files.pop(place, None)
            return
        self._files[place] = files
        self._endings[place] = files.on_change(lambda: self._begin(place))
        self._begin(place)

    def look(self) -> None:
        """At all places."""
        for place in self._files:
            self._begin(place)

    def settings_changed(self) -> None:
        for place in self._files:
            if self._seen.get(place, ()) != self._folders(place):
                self._begin(place)

    def _folders(self, place: str) -> tuple[str, ...]:
        settings = self._places().get(place)
        return settings.folders if settings is not None else ()

    def _begin(self, place: str) -> None:
        if self._files[place].is_lost:
            return
        if place in self._running:
            self._again.add(place)
            return
        self._running[place] = self._scope.start(self._scan(place, self._files[place]), name=f"scan {place}")

    async def _scan(self, place: str, files: PlaceFiles) -> None:
        opened = self._open_files(files)
        try:
            while True:
                self._again.discard(place)
                before, self._seen[place] = self._seen.get(place, ()), self._folders(place)
                # Without folders there is only something to look at where there were some.
                if before or self._seen[place]:
                    await self._library.scan(Elsewhere(place, opened, self._seen[place]))
                if place not in self._again:
                    return
        except RunnerUnavailable as exc:
            _log.info("the folders of %s are not scanned: %s", place, exc)
        except LibraryError as exc:
            _log.warning("the folders of %s are not scanned: %s", place, exc)
        finally:
            opened.close()
            if self._running.get(place) is asyncio.current_task():
                del self._running[place]
