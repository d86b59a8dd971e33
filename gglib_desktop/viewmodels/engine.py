"""The engine in force, or why there is none."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope


@dataclass(frozen=True)
class EngineState:
    """Both are None until the first search for an engine has ended."""

    engine: Engine | None = None
    problem: ConfigurationError | None = None


class EngineViewModel(QObject):
    """Looks for the engine again when the settings change."""

    stateChanged = Signal(object)  # EngineState

    def __init__(self, engines: Engines, settings: SettingsKeeper, scope: TaskScope) -> None:
        super().__init__()
        self._engines = engines
        self._scope = scope
        self._state = EngineState()
        self._unsubscribe = (engines.subscribe(self._on_engine), settings.subscribe(self._on_settings))

    @property
    def state(self) -> EngineState:
        return self._state

    async def find(self) -> None:
        """A problem becomes a state with its reason."""
        with contextlib.suppress(ConfigurationError):
            await self._engines.find()

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def _on_settings(self, _settings: AppSettings) -> None:
        self._scope.start(self.find(), name="find engine")

    def _on_engine(self, _news: None) -> None:
        state = EngineState(self._engines.current, self._engines.problem)
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)
