"""The port to the models of a router."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.router.models import RoutedModel


class ModelRouter(Protocol):
    """Follows the models of one server, and orders it to load and unload them.

    Raises: RunnerUnavailable where it does not answer or refuses; for the order, saying why.
    """

    def watch(self) -> AsyncGenerator[tuple[RoutedModel, ...], None]:
        """All models: at once, and again whenever one of them changes. Ends by an error only."""

    async def load(self, model: str) -> None:
        """Returns once the loading has begun, at once where it is loaded or loading."""

    async def unload(self, model: str) -> None:
        """Returns once it has begun; the requests of the model may take the router some seconds."""


class AskRouter(Protocol):
    """The same for all servers of an engine."""

    def watch(self, server: ServerAddress) -> AsyncGenerator[tuple[RoutedModel, ...], None]: ...

    async def load(self, server: ServerAddress, model: str) -> None: ...

    async def unload(self, server: ServerAddress, model: str) -> None: ...
