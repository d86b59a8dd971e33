"""The endpoints of the settings, each watched as long as it stands there."""

from __future__ import annotations

import asyncio
import logging

from gglib_desktop.domain.documents.settings import AppSettings, EndpointSettings
from gglib_desktop.domain.endpoints.address import endpoint_url
from gglib_desktop.domain.errors import KeyStoreError
from gglib_desktop.domain.traffic.chat import AskChat
from gglib_desktop.ports.machine.key_store import EndpointKeys
from gglib_desktop.ports.servers.endpoint_client import EndpointClient
from gglib_desktop.services.endpoints.snapshot import Detached, EndpointChanged, EndpointEvent, EndpointRemoved
from gglib_desktop.services.endpoints.watch import EndpointWatch, Watching
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
# A program that saves the settings file may leave it empty for a moment; a key that is removed is gone for good.
_FORGET_AFTER_S = 5.0


class Endpoints:
    """Follows the settings from ``begin`` on, and tells of each endpoint what its watch sees."""

    def __init__(self, settings: SettingsKeeper, keys: EndpointKeys, client: EndpointClient, scope: TaskScope) -> None:
        self._settings = settings
        self._keys = keys
        self._scope = scope
        self._events: EventSource[EndpointEvent] = EventSource()
        self.subscribe = self._events.add
        self._watching = Watching(client, keys, lambda snapshot: self._events.emit(EndpointChanged(snapshot)))
        self._watches: dict[str, EndpointWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._last_number = 0

    def begin(self) -> None:
        self._settings.subscribe(self._take)
        self._take(self._settings.current)

    def set_visible(self, visible: bool) -> None:
        """Whether the user sees them; if not, they are looked at rarely."""
        if visible != self._watching.visible:
            self._watching.visible = visible
            for watch in self._watches.values() if visible else ():
                watch.wake()

    # -- one of them, by its number

    def choose(self, number: int, model: str) -> None:
        """Uses one of the models that it lists."""
        if (watch := self._of(number)) is not None:
            watch.choose(model)

    def chat(self, number: int) -> AskChat | None:
        watch = self._of(number)
        return watch.chat if watch is not None else None

    def key(self, number: int) -> str | None:
        watch = self._of(number)
        return watch.key if watch is not None else None

    def look(self, number: int) -> None:
        """Looks at it now: the user does."""
        if (watch := self._of(number)) is not None:
            watch.wake()

    def read_key(self, endpoint_id: str) -> None:
        """Its key was changed."""
        if (watch := self._watches.get(endpoint_id)) is not None:
            watch.read_key()

    async def detach(self, number: int) -> Detached | None:
        """Ends watching it, and removes it from the settings with its key. Raises: SettingsError, KeyStoreError."""
        watch = self._of(number)
        if watch is None:
            return None
        endpoint_id, listed = watch.snapshot.id, self._settings.current.endpoints
        detached = Detached(endpoint_id, listed[endpoint_id], watch.key)
        await self._settings.change(endpoints={each: kept for each, kept in listed.items() if each != endpoint_id})
        await self._keys.remove(endpoint_id)
        return detached

    async def attach_again(self, detached: Detached) -> None:
        """As it was. Raises: SettingsError, KeyStoreError."""
        if detached.key is not None:
            await self._keys.keep(detached.id, detached.key)
        await self._settings.change(endpoints={**self._settings.current.endpoints, detached.id: detached.settings})

    def _of(self, number: int) -> EndpointWatch | None:
        return next((each for each in self._watches.values() if each.snapshot.number == number), None)

    # -- following the settings

    def _take(self, settings: AppSettings) -> None:
        listed = settings.endpoints
        for gone in self._watches.keys() - listed.keys():
            self._end(gone)
        for endpoint_id, kept in listed.items():
            watch = self._watches.get(endpoint_id)
            if watch is not None and watch.snapshot.url != endpoint_url(kept.url):
                self._end(endpoint_id)
                watch = None
            if watch is None:
                self._begin(endpoint_id, kept)
            else:
                watch.rename(kept.name or endpoint_id)
        self._forget_unlisted_soon()

    def _begin(self, endpoint_id: str, kept: EndpointSettings) -> None:
        self._last_number += 1
        name, url = kept.name or endpoint_id, endpoint_url(kept.url)
        watch = self._watches[endpoint_id] = EndpointWatch(endpoint_id, self._last_number, name, url, self._watching)
        self._tasks[endpoint_id] = self._scope.start(watch.watch(), name=f"watch endpoint {endpoint_id}")
        self._events.emit(EndpointChanged(watch.snapshot))

    def _end(self, endpoint_id: str) -> None:
        self._tasks.pop(endpoint_id).cancel()
        self._events.emit(EndpointRemoved(self._watches.pop(endpoint_id).snapshot.number))

    # -- keys of those that are gone

    def _forget_unlisted_soon(self) -> None:
        self._scope.start(self._forget_unlisted(), name="keys of endpoints")

    async def _forget_unlisted(self) -> None:
        try:
            kept = await self._keys.ids()
            if not kept - self._listed():
                return
            await asyncio.sleep(_FORGET_AFTER_S)
            for endpoint_id in kept - self._listed():
                await self._keys.remove(endpoint_id)
        except KeyStoreError as exc:
            _log.warning("%s", exc)

    def _listed(self) -> frozenset[str]:
        """All that the file names, also those that cannot be used as they stand there."""
        problem = self._settings.problem
        unusable = {each.key.split(".")[1] for each in problem.problems if "." in each.key} if problem else set()
        return frozenset({*self._settings.current.endpoints, *unusable})
