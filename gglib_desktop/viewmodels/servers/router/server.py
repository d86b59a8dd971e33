"""The panel of a router."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from typing_extensions import override

from gglib_desktop.domain.servers.states import Stopping, Unreachable
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.router.models import RoutedModelsViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel, Untold

if TYPE_CHECKING:
    from gglib_desktop.domain.traffic.chat import AskChat
    from gglib_desktop.ports.servers.model_router import ModelRouter


class RouterViewModel(ServerViewModel):
    """Its models come and go. What they do it does not tell; chats name one of them."""

    def __init__(self, snapshot: ServerSnapshot, supervisor: Supervisor, launcher: Launcher, scope: TaskScope) -> None:
        self._models = self.routed = RoutedModelsViewModel(self._router, scope)
        super().__init__(snapshot, supervisor, launcher, scope)
        self._models.failed.connect(self.failed)
        self._models.stateChanged.connect(self._show_state)

    @override
    def asked(self) -> AskChat | None:
        ask = super().asked()
        if ask is None:
            return None
        return lambda request: ask(replace(request, model=self.state.client_name))

    @Slot(str)
    @override
    def choose(self, model: str) -> None:
        self._models.choose(model)

    @override
    def close(self) -> None:
        super().close()
        self._models.set_shown(False)

    def _router(self) -> ModelRouter | None:
        handle = self.state.handle
        return self._supervisor.monitor.router(handle) if handle is not None else None

    @override
    def _completed(self, state: ServerPanelState) -> ServerPanelState:
        self._models.set_living(state.handle is not None and not isinstance(state.state, Stopping | Unreachable))
        models, untold = self._models.state, frozenset(Untold) if state.handle is not None else frozenset()
        return replace(
            state,
            is_router=True,
            models=models.names,
            client_name=models.used,
            engine="",
            untold=untold,
            can_measure=False,
        )
