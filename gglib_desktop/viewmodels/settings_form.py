"""The settings dialog: a draft of the settings, the test of an engine, and saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.settings import AppSettings
from gglib_desktop.domain.settings_document import differences, with_differences
from gglib_desktop.services.launcher import Launcher
from gglib_desktop.services.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand


class SettingsFormViewModel(QObject):
    """Edits a draft; saving checks the engine first and keeps the draft when anything is wrong."""

    draftChanged = Signal(object)  # AppSettings
    engineTested = Signal(object)  # Engine, or ConfigurationError
    saved = Signal()
    failed = Signal(object)  # GglibError

    def __init__(self, keeper: SettingsKeeper, launcher: Launcher, scope: TaskScope) -> None:
        super().__init__()
        self._keeper = keeper
        self._launcher = launcher
        self._base = self._draft = keeper.current
        self.test = AsyncCommand(scope, self._test, name="test engine")
        self.save = AsyncCommand(scope, self._save, name="save settings")
        self.save.failed.connect(self.failed)

    @property
    def draft(self) -> AppSettings:
        return self._draft

    @property
    def engine(self) -> Engine | None:
        """The engine in force."""
        return self._launcher.engine

    @property
    def engine_problem(self) -> ConfigurationError | None:
        """Why there is no engine in force; None while one is, or while none was looked for yet."""
        return self._launcher.engine_problem

    def edit(self, **changes: Any) -> None:
        draft = self._draft.replace(**changes)
        if draft != self._draft:
            self._draft = draft
            self.draftChanged.emit(draft)

    def edit_engine_path(self, text: str) -> None:
        """An empty text looks for an engine."""
        self.edit(engine_path=Path(text.strip()) if text.strip() else None)

    @Slot(object)
    def rebase(self, settings: AppSettings) -> None:
        """Shows settings that another hand changed meanwhile, below what was typed here."""
        draft = with_differences(settings, differences(self._base, self._draft))
        self._base = settings
        if draft != self._draft:
            self._draft = draft
            self.draftChanged.emit(draft)

    async def _test(self) -> None:
        try:
            self.engineTested.emit(await self._launcher.test_engine(self._draft.engine_path))
        except ConfigurationError as exc:
            self.engineTested.emit(exc)

    async def _save(self) -> None:
        if self._draft.engine_path is not None and self._draft.engine_path != self._keeper.current.engine_path:
            await self._launcher.test_engine(self._draft.engine_path)
        await self._keeper.save(self._base, self._draft)
        self.saved.emit()
