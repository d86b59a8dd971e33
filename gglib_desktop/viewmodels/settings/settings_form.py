"""The settings dialog: a draft of the settings, the test of an engine, and saving."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import differences, with_differences
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.form import check
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand, ViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.viewmodels.launch.presets import PresetsViewModel


class SettingsFormViewModel(ViewModel):
    """Edits a draft; saving checks the engine first and keeps the draft when anything is wrong."""

    draftChanged = Signal(object)  # AppSettings
    engineTested = Signal(object)  # Engine, or ConfigurationError
    saved = Signal()

    def __init__(
        self,
        keeper: SettingsKeeper,
        launcher: Launcher,
        scope: TaskScope,
        *,
        presets: Callable[[OptionFormViewModel], PresetsViewModel] | None = None,
    ) -> None:
        """``presets`` makes the choice of presets beside ``options``; None: there is none."""
        super().__init__(scope)
        self._make_presets = presets
        self._keeper = keeper
        self._launcher = launcher
        self._base = self._draft = keeper.current
        self._options: OptionFormViewModel | None = None
        self.test = AsyncCommand(scope, self._test, name="test engine")
        self.save = self.command(self._save, "save settings")
        self._unsubscribe = keeper.subscribe(self.rebase)

    @property
    def draft(self) -> AppSettings:
        return self._draft

    @property
    def options(self) -> OptionFormViewModel:
        """The form of the options that all models start with, unless a model or a launch says otherwise."""
        if self._options is None:
            self._options = OptionFormViewModel(self._launcher, Source.APP, draft=self._draft.defaults)
            self._options.draftChanged.connect(self._on_options)
            self._options.find_devices(self._scope)
        return self._options

    @cached_property
    def presets(self) -> PresetsViewModel | None:
        """The presets for all models, to fill ``options`` with."""
        return self._make_presets(self.options) if self._make_presets is not None else None

    @property
    def engine(self) -> Engine | None:
        """The engine in force."""
        return self._launcher.engines.current

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
        """Shows settings that changed elsewhere meanwhile, under the user's own changes."""
        draft = with_differences(settings, differences(self._base, self._draft))
        self._base = settings
        if draft != self._draft:
            self._draft = draft
            self.draftChanged.emit(draft)
        if self._options is not None:
            shown = self._options.draft
            self._options.edit(**{name: draft.defaults.get(name) for name in shown.differing(draft.defaults)})

    def close(self) -> None:
        """Ends everything that runs for this form alone."""
        self._unsubscribe()
        self.test.cancel()
        self.save.cancel()
        if self._options is not None:
            self._options.close()

    def _on_options(self, options: LaunchOptions) -> None:
        self.edit(defaults=options)

    async def _test(self) -> None:
        try:
            self.engineTested.emit(await self._launcher.engines.test(self._draft.engine_path))
        except ConfigurationError as exc:
            self.engineTested.emit(exc)

    async def _save(self) -> None:
        if self._options is not None:
            check(self._options.state)
        if self._draft.engine_path is not None and self._draft.engine_path != self._keeper.current.engine_path:
            await self._launcher.engines.test(self._draft.engine_path)
        await self._keeper.save(self._base, self._draft)
        self.saved.emit()
