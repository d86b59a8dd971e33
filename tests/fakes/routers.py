"""A router whose models are as a test says."""

import asyncio
from collections.abc import AsyncGenerator

from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.router.models import RoutedModel


class FakeRouter:
    """Implements ModelRouter. ``told`` are the orders it was given, ``watchers`` how many follow it now."""

    def __init__(self, *models: RoutedModel) -> None:
        self.models = models
        self.refusal: RunnerUnavailable | None = None
        self.told: list[tuple[str, str]] = []
        self.watchers = 0
        self._changed = asyncio.Event()

    def change(self, *models: RoutedModel) -> None:
        self.models = models
        self._wake()

    def break_off(self) -> None:
        """It answers nobody any more."""
        self.refusal = RunnerUnavailable("the router does not answer")
        self._wake()

    async def watch(self) -> AsyncGenerator[tuple[RoutedModel, ...], None]:
        self.watchers += 1
        try:
            while self.refusal is None:
                changed = self._changed
                yield self.models
                await changed.wait()
            raise self.refusal
        finally:
            self.watchers -= 1

    async def load(self, model: str) -> None:
        self._take("load", model)

    async def unload(self, model: str) -> None:
        self._take("unload", model)

    def _take(self, order: str, model: str) -> None:
        self.told.append((order, model))
        if self.refusal is not None:
            raise self.refusal

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
