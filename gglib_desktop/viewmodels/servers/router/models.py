"""The models of one router: their states, the one that is used, and the orders to load and unload them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.router.models import RoutedModel
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel

if TYPE_CHECKING:
    from gglib_desktop.ports.servers.model_router import ModelRouter

_AGAIN_S = 1.0


@dataclass(frozen=True)
class RoutedModels:
    """``models`` None: they have not been told yet. ``is_current``: what is shown is what the router says now.

    ``used`` is the name of the one for chats and for other programs; empty if there is none.
    """

    models: tuple[RoutedModel, ...] | None = None
    used: str = ""
    is_current: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self.models or ())


class RoutedModelsViewModel(ViewModel):
    """Follows the router while somebody looks and it lives."""

    stateChanged = Signal(object)  # RoutedModels

    def __init__(self, router: Callable[[], ModelRouter | None], scope: TaskScope) -> None:
        """``router`` is None while it does not run."""
        super().__init__(scope)
        self._router = router
        self._state = RoutedModels()
        self._is_shown = False
        self._lives = False
        self._following: asyncio.Task[None] | None = None

    @property
    def state(self) -> RoutedModels:
        return self._state

    def choose(self, model: str) -> None:
        """Uses that one for chats and for other programs."""
        if model in self._state.names:
            self._show(replace(self._state, used=model))

    def load(self, model: str) -> None:
        router = self._router()
        if router is not None:
            self.run(router.load(model), "load a model")

    def unload(self, model: str) -> None:
        router = self._router()
        if router is not None:
            self.run(router.unload(model), "unload a model")

    def set_shown(self, shown: bool) -> None:
        self._is_shown = shown
        self._follow_or_rest()

    def set_living(self, lives: bool) -> None:
        """Whether there is a router to be asked."""
        if lives != self._lives:
            self._lives = lives
            if not lives:
                # They ended with it. The next one may have others.
                self._show(RoutedModels(used=self._state.used))
            self._follow_or_rest()

    def _follow_or_rest(self) -> None:
        follows = self._is_shown and self._lives
        if follows and self._following is None:
            self._following = self._scope.start(self._follow(), name="models of a router")
        elif not follows and self._following is not None:
            self._following.cancel()
            self._following = None
            self._show(replace(self._state, is_current=False))

    async def _follow(self) -> None:
        while (router := self._router()) is not None:
            try:
                async with aclosing(router.watch()) as changes:
                    async for models in changes:
                        self._take(models)
            except RunnerUnavailable:
                # Its badge says why. It may answer again.
                self._show(replace(self._state, is_current=False))
            await asyncio.sleep(_AGAIN_S)

    def _take(self, models: tuple[RoutedModel, ...]) -> None:
        names = [model.name for model in models]
        used = self._state.used if self._state.used in names else next(iter(names), "")
        self._show(RoutedModels(models, used, is_current=True))

    def _show(self, state: RoutedModels) -> None:
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
