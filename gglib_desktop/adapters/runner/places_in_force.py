"""Keeps the places of a runner as the settings say, while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.found_servers import FoundServers
from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.errors import ConfigurationError, PlaceInUse

_log = logging.getLogger(__name__)
# Raises ConfigurationError for a place that this version cannot use.
OpenPlace: TypeAlias = Callable[[str, PlaceSettings], Site]


class PlacesInForce:
    """A place where servers run stays as it is until the next change without any."""

    def __init__(self, runner: FoundServers, open_place: OpenPlace, load: Callable[[], object] = lambda: None) -> None:
        """``load`` blocks: it loads the code that ``open_place`` needs."""
        self._runner = runner
        self._load = load
        self._open_place = open_place
        self._changing = asyncio.Lock()
        self._opened: dict[str, PlaceSettings] = {}

    def take(self, wanted: Mapping[str, PlaceSettings]) -> None:
        """Returns at once: a place may take its time."""
        self._runner.scope.start(self._settle(wanted), name="change places")

    async def _settle(self, wanted: Mapping[str, PlaceSettings]) -> None:
        async with self._changing:
            for place_id, place in tuple(self._opened.items()):
                if place_id not in wanted or not _is_same(wanted[place_id], place):
                    await self._remove(place_id)
            for place_id, place in wanted.items():
                if place_id not in self._opened:
                    await self._add(place_id, place)

    async def _add(self, place_id: str, place: PlaceSettings) -> None:
        await asyncio.to_thread(self._load)
        try:
            site = self._open_place(place_id, place)
        except ConfigurationError as exc:
            _log.warning("the place %s cannot be used: %s", place_id, exc)
            return
        self._opened[place_id] = place
        await self._runner.add_place(place_id, site)

    async def _remove(self, place_id: str) -> None:
        try:
            await self._runner.remove_place(place_id)
        except PlaceInUse as exc:
            _log.warning("the place %s stays as it was: %s", place_id, exc)
        else:
            del self._opened[place_id]


def _is_same(place: PlaceSettings, other: PlaceSettings) -> bool:
    """Whatever it is called, and whatever happens there when the program ends."""
    return place.replace(name=other.name, on_quit=other.on_quit, folders=other.folders) == other
