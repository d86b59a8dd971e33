"""What endpoints take: their keys, what asks them, and the kind of place that they are. Loaded with the first one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from gglib_desktop.program_paths import Places
from gglib_desktop.startup import endpoint_keys
from gglib_desktop.tasks import TaskScope

if TYPE_CHECKING:
    from gglib_desktop.domain.documents.settings import AppSettings
    from gglib_desktop.ports.machine.key_store import EndpointKeys
    from gglib_desktop.ports.servers.endpoint_client import EndpointClient
    from gglib_desktop.ports.servers.place_kind import PlaceKind
    from gglib_desktop.services.endpoints.endpoints import Endpoints
    from gglib_desktop.services.settings.settings_keeper import SettingsKeeper


class EndpointParts:
    """Makes each of them when it is first needed; ``stack`` takes them down."""

    def __init__(
        self, places: Places, settings: SettingsKeeper, scope: TaskScope, stack: contextlib.AsyncExitStack
    ) -> None:
        self._places = places
        self._settings = settings
        self._scope = scope
        self._stack = stack
        self._making = asyncio.Lock()
        self._client: EndpointClient | None = None
        self._has_begun = False
        self._watched: Endpoints | None = None

    @cached_property
    def keys(self) -> EndpointKeys:
        return endpoint_keys(self._places)

    async def client(self) -> EndpointClient:
        async with self._making:
            if self._client is None:
                # Importing the HTTP library takes 100 ms.
                make = await asyncio.to_thread(_client_maker)
                self._client = make()
                self._stack.push_async_callback(self._client.aclose)
            return self._client

    def kind(self) -> PlaceKind:
        """As it is added and tested in the settings."""
        from gglib_desktop.services.endpoints.kind import EndpointKind

        def on_key(endpoint_id: str) -> None:
            if self._watched is not None:
                self._watched.read_key(endpoint_id)

        return EndpointKind(self.client, lambda: self.keys, on_key)

    def watch(self, show: Callable[[Endpoints], None]) -> None:
        """Calls back once there is an endpoint, or the key of one that is gone, with what watches them."""

        def look(settings: AppSettings) -> None:
            if not self._has_begun and (settings.endpoints or self._keeps_keys()):
                self._has_begun = True
                self._scope.start(self._begin(show), name="watch endpoints")

        self._settings.subscribe(look)
        look(self._settings.current)

    async def _begin(self, show: Callable[[Endpoints], None]) -> None:
        client = await self.client()
        import gglib_desktop.views.servers.attached.panel  # noqa: F401  # classes of widgets are made in Qt's thread
        from gglib_desktop.services.endpoints.endpoints import Endpoints

        self._watched = Endpoints(self._settings, self.keys, client, self._scope)
        show(self._watched)

    def _keeps_keys(self) -> bool:
        with contextlib.suppress(OSError), os.scandir(self._places.endpoint_keys) as found:
            return any(found)
        return False


def _client_maker() -> Callable[[], EndpointClient]:
    import gglib_desktop.services.endpoints.endpoints  # noqa: F401
    from gglib_desktop.adapters.endpoints.client import HttpEndpointClient
    from gglib_desktop.adapters.runner.kinds import asked_engines

    return lambda: HttpEndpointClient(asked_engines)
