"""The main window: models on one side, servers on the other, and what applies to both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ConfigurationError, GglibError, InvalidModelFile, LibrarySetAside, ModelInUse
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.states import is_live
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.services.servers.snapshot import ServerChanged, ServerRemoved, ServersAdopted, SupervisorEvent
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand, reported
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.foreign import ForeignViewModel

if TYPE_CHECKING:
    from gglib_desktop.ports.machine.key_store import KeyStore
    from gglib_desktop.viewmodels.launch.launch_forms import LaunchForms
    from gglib_desktop.viewmodels.models.model_details import ModelDetailsViewModel
    from gglib_desktop.viewmodels.servers.server import ServerViewModel
    from gglib_desktop.viewmodels.settings.access import AccessViewModel
    from gglib_desktop.viewmodels.settings.model_folders import ModelFoldersViewModel
    from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel


@dataclass(frozen=True)
class AppState:
    """What the window as a whole shows. ``engine_problem`` None and ``engine`` None: still looking for one."""

    running: int = 0
    rss_bytes: int = 0
    engine: Engine | None = None
    engine_problem: ConfigurationError | None = None
    ready: bool = False


class AppViewModel(QObject):
    """Everything that the window shows and starts."""

    stateChanged = Signal(object)  # AppState
    serverAdded = Signal(object)  # ServerViewModel
    serverRemoved = Signal(int)  # its id
    serverShown = Signal(int)  # the id of a panel to bring into view
    serversAdopted = Signal(int)  # how many
    modelsAdded = Signal(int)  # how many
    scanned = Signal(int)  # how many models were new
    modelRemoved = Signal(object)  # Model
    startRefused = Signal(int, object)  # the model's id, and InvalidModelFile
    settingsChanged = Signal(object)  # AppSettings
    settingsNews = Signal(object)  # SettingsNews
    failed = Signal(object)  # GglibError

    def __init__(
        self,
        library: Library,
        supervisor: Supervisor,
        launcher: Launcher,
        settings: SettingsKeeper,
        scope: TaskScope,
        *,
        foreign: ForeignWatch,
        details: Callable[[Model], ModelDetailsViewModel],
        forms: Callable[[AppViewModel], LaunchForms],
        keys: Callable[[], KeyStore] | None = None,
        raise_window: Callable[[Path], bool] = lambda _data_dir: False,
    ) -> None:
        super().__init__()
        self._library = library
        self._supervisor = supervisor
        self._launcher = launcher
        self._settings = settings
        self._scope = scope
        self._details = details
        self._keys = keys
        self._make_forms = forms
        self._forms: LaunchForms | None = None
        self._state = AppState()
        self._adopting: asyncio.Task[None] | None = None
        self._scan_wanted = False
        self.servers: dict[int, ServerViewModel] = {}
        self.models = ModelListViewModel(library, supervisor, scope)
        self.foreign = ForeignViewModel(foreign, scope, raise_window)
        self.foreign.adopted.connect(self.serverShown)
        self.create_demo = AsyncCommand(scope, self._create_demo, name="create demo model")
        self.create_demo.failed.connect(self.failed)
        self.scan = AsyncCommand(scope, self._scan, name="scan")
        self.scan.failed.connect(self.failed)
        self._unsubscribe = (
            supervisor.subscribe(self._on_supervisor),
            launcher.engines.subscribe(self._on_engine),
            library.subscribe_saved(self._on_saved),
            settings.subscribe(self._on_settings),
            settings.subscribe_to_news(self.settingsNews.emit),
        )

    @property
    def state(self) -> AppState:
        return self._state

    @property
    def settings(self) -> AppSettings:
        return self._settings.current

    def open(self, paths: Iterable[Path]) -> None:
        """Loads the library, takes over servers that run, adds ``paths``, and looks for an engine; then for models."""
        self._spawn(self._open(tuple(paths)), "open")

    def add(self, paths: Iterable[Path]) -> None:
        """Adds model files and folders, and selects the first model of them."""
        self._spawn(self._add(tuple(paths)), "add models")

    def scan_again(self) -> None:
        """Looks for models because somebody wants to know; a scan under way will tell."""
        self._scan_wanted = True
        self.scan.trigger()

    def stop_scan(self) -> None:
        """Looks no further for models; what was found stays."""
        self._scan_wanted = False
        self._library.stop_scan()

    def remove(self, model_id: int) -> None:
        """Takes a model off the list; refused while a server of it lives, whose panel could not be started again."""
        self._spawn(self._remove(model_id), "remove model")

    def bring_back(self, path: Path) -> None:
        """Lists a model again that was taken off, and selects it."""
        self._spawn(self._bring_back(path), "bring back model")

    def start(
        self, model_id: int, launch: LaunchOptions | None = None, *, another: bool = False, remember: bool = False
    ) -> None:
        """Starts a model, with the choices of this ``launch`` over those saved for it; ``remember`` saves them too."""
        self._spawn(self._start(model_id, launch, another=another, remember=remember), "start")

    async def start_now(
        self, model_id: int, launch: LaunchOptions | None = None, *, another: bool = False, remember: bool = False
    ) -> None:
        """As ``start``, for those who wait for it. Raises: GglibError."""
        server_id = await self._launcher.start(model_id, launch, another=another, remember=remember)
        if server_id is not None:
            self.serverShown.emit(server_id)

    @property
    def forms(self) -> LaunchForms:
        """The forms of launch choices."""
        if self._forms is None:
            self._forms = self._make_forms(self)
        return self._forms

    def details(self, model_id: int) -> ModelDetailsViewModel | None:
        """What the details dialog shows; None when the model is gone."""
        model = self._library.model(model_id)
        return self._details(model) if model is not None else None

    def runs(self, model_id: int) -> bool:
        """Whether the model has a live server."""
        return self._supervisor.has_live_server(model_id)

    def settings_form(self) -> SettingsFormViewModel:
        from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel  # noqa: PLC0415

        presets = self.forms.presets_beside
        form = SettingsFormViewModel(self._settings, self._launcher, self._scope, presets=presets)
        self.settingsChanged.connect(form.rebase)
        return form

    def access(self) -> AccessViewModel | None:
        """What the settings show of the key for clients."""
        from gglib_desktop.viewmodels.settings.access import AccessViewModel  # noqa: PLC0415  # as the form of the settings

        return AccessViewModel(self._keys(), self._scope) if self._keys is not None else None

    def folders(self) -> ModelFoldersViewModel:
        """What the settings show of where models come from."""
        from gglib_desktop.viewmodels.settings.model_folders import ModelFoldersViewModel  # noqa: PLC0415  # as the form

        return ModelFoldersViewModel(self._library, self._scope)

    async def settings_file(self) -> Path:
        """The file that people can edit; makes one that explains every key if there is none. Raises: SettingsError."""
        await self._settings.create_file()
        return self._settings.path

    def stop_all(self) -> None:
        self._spawn(self._supervisor.stop_all(), "stop all")

    def run(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        """Runs what a view awaits, a dialog for example, as a task of this window."""
        self._spawn(coroutine, name)

    def set_visible(self, visible: bool) -> None:
        """A window that nobody sees asks its servers less often."""
        self._supervisor.visible = visible
        self.foreign.set_visible(visible)

    def refuse_starts(self) -> None:
        """The program ends; what is asked for from now on comes too late."""
        self._supervisor.refuse_starts()

    async def adopted(self) -> None:
        """Returns when the servers of an earlier session, if any, have been taken over."""
        if self._adopting is not None:
            await asyncio.wait({self._adopting})

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self.models.close()
        self.foreign.close()
        for server in self.servers.values():
            server.close()

    # -- actions

    async def _open(self, paths: tuple[Path, ...]) -> None:
        if news := self._settings.news_at_start():
            self.settingsNews.emit(news)
        adopting = self._adopting = self._scope.start(self._adopt(), name="adopt")
        finding = self._scope.start(self._find_engine(), name="find engine")
        try:
            await self._load_library()
            for server in self.servers.values():
                server.read_again()
            if paths:
                await self._add(paths)
        finally:
            await asyncio.wait({adopting})
            self.foreign.begin()
            self.scan.trigger()
            # An engine may take a minute to say what it can.
            await asyncio.wait({finding})
            self._set_state(ready=True)

    async def _load_library(self) -> None:
        try:
            await self._library.load()
        except LibrarySetAside as exc:
            self.failed.emit(exc)
            await self._library.load()

    async def _adopt(self) -> None:
        try:
            await self._supervisor.adopt()
        except GglibError as exc:
            self.failed.emit(exc)

    async def _find_engine(self) -> None:
        try:
            await self._launcher.engines.find()
        except ConfigurationError:
            self._on_engine(None)  # shown as a state of the window, with the reason

    async def _scan(self) -> None:
        before = {model.id for model in self._library.models}
        try:
            await self._library.scan()
        finally:
            wanted, self._scan_wanted = self._scan_wanted, False
        new = sum(model.id not in before for model in self._library.models)
        if wanted or new:
            self.scanned.emit(new)

    async def _add(self, paths: tuple[Path, ...]) -> None:
        before = {model.id for model in self._library.models}
        added = await self._library.add(paths)
        if added:
            self.models.request(added[0].id)
        if new := {model.id for model in added} - before:
            self.modelsAdded.emit(len(new))

    async def _start(self, model_id: int, launch: LaunchOptions | None, **how: bool) -> None:
        try:
            await self.start_now(model_id, launch, **how)
        except InvalidModelFile as exc:
            self.startRefused.emit(model_id, exc)

    async def _remove(self, model_id: int) -> None:
        model = self._library.model(model_id)
        if model is None:
            return
        if any(server.model_id == model_id and server.state.is_live for server in self.servers.values()):
            raise ModelInUse(model.name)
        await self._library.remove(model_id)
        self.modelRemoved.emit(model)

    async def _bring_back(self, path: Path) -> None:
        model = await self._library.bring_back(path)
        if model is not None:
            self.models.request(model.id)

    async def _create_demo(self) -> None:
        model = await self._library.create_demo()
        if model is not None:
            self.models.request(model.id)

    # -- news

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        match event:
            case ServerChanged(snapshot):
                known = self.servers.get(snapshot.id)
                if known is not None:
                    known.show(snapshot)
                else:
                    from gglib_desktop.viewmodels.servers.server import ServerViewModel  # noqa: PLC0415  # as its panel

                    server = ServerViewModel(snapshot, self._supervisor, self._launcher, self._scope)
                    server.failed.connect(self.failed)
                    self.servers[snapshot.id] = server
                    self.serverAdded.emit(server)
            case ServerRemoved(server_id):
                self.servers.pop(server_id).close()
                self.serverRemoved.emit(server_id)
            case ServersAdopted(count):
                self.serversAdopted.emit(count)
        live = [server for server in self._supervisor.servers if is_live(server.state)]
        self._set_state(running=len(live), rss_bytes=sum(server.rss_bytes or 0 for server in live))

    def _on_saved(self, model_id: int) -> None:
        for server in self.servers.values():
            if server.model_id == model_id:
                server.read_again()

    def _on_engine(self, _news: None) -> None:
        self._set_state(engine=self._launcher.engines.current, engine_problem=self._launcher.engines.problem)
        for server in self.servers.values():
            server.form.decide_again()
            server.read_again()

    def _on_settings(self, settings: AppSettings) -> None:
        self.settingsChanged.emit(settings)
        self._spawn(self._find_engine(), "find engine")
        # What is said for all models counts where one says nothing.
        for server in self.servers.values():
            server.read_again()

    def _set_state(self, **changes: Any) -> None:
        state = AppState(**{**self._state.__dict__, **changes})
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)

    def _spawn(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        self._scope.start(reported(coroutine, self.failed), name=name)
