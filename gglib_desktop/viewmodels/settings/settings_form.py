"""The content of the settings dialog: a draft of the settings, the places of models, and the key for clients."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.documents.settings import AppSettings, EngineSettings
from gglib_desktop.domain.documents.settings_document import differences, with_differences
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.form import check
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.servers.access import KeyPlace
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand, ViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.viewmodels.launch.presets import PresetsViewModel
from gglib_desktop.viewmodels.settings.places import PlacesViewModel


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

    @property
    def other_engines(self) -> tuple[str, ...]:
        """The ids of those that models can choose beside the usual one."""
        return tuple(self._launcher.engines.choices())[1:]

    def edit_engine_path_of(self, engine: str, text: str) -> None:
        """As ``edit_engine_path``, for another engine."""
        others = {each: said for each, said in self._draft.engines.items() if each != engine}
        path = Path(text.strip()) if text.strip() else None
        self.edit(engines=others if path is None else {**others, engine: EngineSettings(path=path)})

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
        for engine in self.other_engines:
            path = self._draft.engine_path_of(engine)
            if path is not None and path != self._keeper.current.engine_path_of(engine):
                await self._launcher.engines.test(path, engine)
        await self._keeper.save(self._base, self._draft)
        self.saved.emit()


class AccessViewModel(ViewModel):
    """The key for clients: asks the store when told to. The key itself is passed on to be copied, and not kept here."""

    placeChanged = Signal(object)  # KeyPlace
    keyRead = Signal(str)
    renewed = Signal()

    def __init__(self, keys: KeyStore, scope: TaskScope) -> None:
        super().__init__(scope)
        self._keys = keys
        self.place: KeyPlace | None = None
        self.look = self.command(self._look, "look where the key is")
        self.copy = self.command(self._copy, "copy key")
        self.renew = self.command(self._renew, "new key")

    async def _look(self) -> None:
        self.place = await self._keys.where()
        self.placeChanged.emit(self.place)

    async def _copy(self) -> None:
        self.keyRead.emit(await self._keys.key())
        await self._look()

    async def _renew(self) -> None:
        await self._keys.renew()
        self.renewed.emit()
        await self._look()


@dataclass(frozen=True)
class ModelFolder:
    """``is_store``: another program keeps its models there; the user did not add it, so it cannot be removed."""

    path: Path
    paused: bool = False
    is_store: bool = False


@dataclass(frozen=True)
class FoldersState:
    """Both in the order in which they are shown."""

    folders: tuple[ModelFolder, ...] = ()
    removed: tuple[Path, ...] = ()


class ModelFoldersViewModel(ViewModel):
    """Every action takes effect at once."""

    stateChanged = Signal(object)  # FoldersState

    def __init__(self, library: Library, scope: TaskScope) -> None:
        super().__init__(scope)
        self._library = library
        self.state = FoldersState()

    def look(self) -> None:
        self.run(self._look(), "list model folders")

    def remove_folder(self, folder: ModelFolder) -> None:
        """Scans skip the folder from now on; its models stay listed."""
        self.run(self._then_look(self._library.folders.remove(folder.path)), "remove model folder")

    def pause_folder(self, folder: ModelFolder) -> None:
        """Scans skip the folder until it is resumed; its models stay listed."""
        self.run(self._then_look(self._library.folders.pause(folder.path, True)), "pause model folder")

    def resume_folder(self, folder: ModelFolder) -> None:
        self.run(self._resume(folder.path), "resume model folder")

    def bring_back(self, path: Path) -> None:
        self.run(self._then_look(self._library.bring_back(path)), "bring back model")

    async def _then_look(self, action: Coroutine[Any, Any, object]) -> None:
        await action
        await self._look()

    async def _resume(self, folder: Path) -> None:
        await self._then_look(self._library.folders.pause(folder, False))
        await self._library.look_at([folder])

    async def _look(self) -> None:
        added, paused = tuple(await self._library.folders.added()), self._library.folders.paused
        stores = (place for place in self._library.folders.places if place not in added)
        folders = (
            *(ModelFolder(path, path in paused) for path in added),
            *(ModelFolder(path, path in paused, is_store=True) for path in stores),
        )
        self.state = FoldersState(folders, tuple(await self._library.removed()))
        self.stateChanged.emit(self.state)


@dataclass(frozen=True)
class SettingsPages:
    """The content of the dialog. ``access`` None: there is no key for clients. ``places`` None: there are no others."""

    form: SettingsFormViewModel
    folders: ModelFoldersViewModel
    access: AccessViewModel | None = None
    places: PlacesViewModel | None = None
