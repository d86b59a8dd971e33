"""The choice of models for a router, and the start of it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.models.model import Model
from gglib_desktop.services.launch.routers import Routers
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel

USUAL_MOST = 4
"""How many models a router has loaded at once where nothing else is chosen, as it would itself."""


class RouterFormViewModel(ViewModel):
    """``models`` are those to choose from. If the start is refused, the choice stays."""

    chosenChanged = Signal(object)  # frozenset[int], ids of models
    started = Signal(int)  # the id of its server
    done = Signal()

    def __init__(self, routers: Routers, scope: TaskScope) -> None:
        super().__init__(scope)
        self._routers = routers
        self.models: tuple[Model, ...] = tuple(sorted(routers.models, key=lambda model: model.name.casefold()))
        self._chosen: frozenset[int] = frozenset()
        self._most = USUAL_MOST
        self.start = self.command(self._start, "start a router")

    @property
    def chosen(self) -> frozenset[int]:
        return self._chosen

    @property
    def most(self) -> int:
        return self._most

    def choose(self, model_ids: Iterable[int]) -> None:
        now = frozenset(model_ids)
        if now != self._chosen:
            self._chosen = now
            self.chosenChanged.emit(now)

    @Slot(int)
    def set_most(self, most: int) -> None:
        """At least 1."""
        self._most = most

    def close(self) -> None:
        self.start.cancel()

    async def _start(self) -> None:
        in_order = [model.id for model in self.models if model.id in self._chosen]
        server_id = await self._routers.start(in_order, most=self._most)
        if server_id is not None:
            self.started.emit(server_id)
        self.done.emit()
