"""Builds the program out of its parts, runs it and takes it down. Only this module and ``runners`` name adapters."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.model_files import DiskModelFiles, well_known_stores
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.machine.shutdown import ShutdownWatch
from gglib_desktop.adapters.machine.single_instance import SingleInstance
from gglib_desktop.advising import AdvisorParts
from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.domain.environment import mtp_is_suppressed
from gglib_desktop.domain.errors import DataDirectoryInUse, GglibError, InvalidModelFile, RunnerUnavailable
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.endpoints import EndpointParts
from gglib_desktop.program_paths import Places
from gglib_desktop.runners import Runner, WindowRunner, engines_of, runner_and_catalog, scan_places
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.quit_controller import QuitController, stop_servers
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.startup import SHUTDOWN_MARGIN_S, STOP_SERVERS, Options, close_to_others, key_store
from gglib_desktop.tasks import ErrorReporter, TaskScope
from gglib_desktop.viewmodels.engine import EngineViewModel
from gglib_desktop.viewmodels.launch.launch import LaunchViewModel
from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.viewmodels.servers.foreign import ForeignViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel, Work
from gglib_desktop.viewmodels.settings.settings import SettingsViewModel
from gglib_desktop.viewmodels.settings.ssh_questions import SshQuestionsViewModel
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.look.icons import app_icon
from gglib_desktop.views.look.theming import apply_theme
from gglib_desktop.views.window.bug_reporter import BugReporter
from gglib_desktop.views.window.main_window import MainWindow
from gglib_desktop.windowless import WindowLoss

if TYPE_CHECKING:
    from gglib_desktop.dialogs import Dialogs
    from gglib_desktop.domain.engine.capabilities import Engine
    from gglib_desktop.domain.gguf.forecast import ByteRange, Serving
    from gglib_desktop.ports.servers.engine_catalog import EngineCatalog
    from gglib_desktop.ports.servers.request_store import RequestStore
    from gglib_desktop.services.traffic.live import LiveFigures
    from gglib_desktop.services.traffic.news import RecordingNews
    from gglib_desktop.services.traffic.recording import RequestRecorder

_log = logging.getLogger(__name__)
_APP = "gglib-desktop"
_OTHER_INSTANCE_S = 10.0
_EXPOSE_TRIES = 40


async def run(app: QApplication, options: Options) -> int:
    """Shows the window and returns the exit status when the program has been told to quit."""
    reporter = BugReporter()
    reporter.install(asyncio.get_running_loop())
    places = Places.of_this_user()
    async with contextlib.AsyncExitStack() as stack:
        services = await _build_services(options, places, reporter, stack)
        window = _build_window(app, services, places)
        reporter.window = window
        quitting = QuitController(services.settings, services.running, window.confirm_quit, services.scope)
        shutdown = _connect_quitting(app, window, quitting, services.settings)
        loss = WindowLoss(lambda: quitting.decision, (STOP_SERVERS, "--runner", options.runner))
        loss.watch(app)
        await _load_late(window)
        services.scope.start(close_to_others(places), name="close files to others")
        services.scope.start(services.advising.load(), name="load measurements")
        recorder, store = _record_requests(services, places, reporter, stack)
        if await services.belong_to_another(options.models, quitting):
            loss.close()
            window.close_for_good()
            return 0
        from gglib_desktop.garbage import look_after_memory

        look_after_memory(services.library, services.scope)
        services.follow_work(recorder, store)
        services.view_model.open(options.models)
        services.endpoints.watch(services.view_model.servers.attached.watch)
        services.follow_files()
        await services.listen(window)
        on_quit = await quitting.decided()
        reporter.window = None
        window.hide()
        shutdown.begin()
        await services.end(on_quit)
    loss.close()
    window.close_for_good()
    _log.info("ended")
    return 0


def _record_requests(
    services: _Services, places: Places, reporter: ErrorReporter, stack: contextlib.AsyncExitStack
) -> tuple[RequestRecorder, RequestStore]:
    """From now on requests are recorded, until ``stack`` ends that; the runner spares logs that are not read yet."""
    from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
    from gglib_desktop.services.traffic.news import RecordingProblem
    from gglib_desktop.services.traffic.recording import RequestRecorder

    def on_news(news: RecordingNews) -> None:
        if isinstance(news, RecordingProblem):
            services.view_model.failed.emit(news.error)

    store = SqliteRequestStore(places.data_dir / "requests.sqlite")
    recorder = RequestRecorder(services.supervisor, store, lambda: services.settings.current, reporter)
    stack.push_async_callback(store.aclose)
    stack.push_async_callback(recorder.aclose)
    recorder.subscribe_to_news(on_news)
    recorder.begin()
    return recorder, store


async def _load_late(window: MainWindow) -> None:
    """Loads, once the window is on the screen, what the first server needs: so the first Start does not wait for it."""
    for _try in range(_EXPOSE_TRIES):
        if window.windowHandle().isExposed():
            break
        await asyncio.sleep(0.005)
    await asyncio.to_thread(_load_services)
    import gglib_desktop.views.servers.overview.page
    import gglib_desktop.views.servers.panel.view  # noqa: F401  # classes of widgets are made in Qt's thread


def _load_services() -> None:
    import gglib_desktop.adapters.requests.sqlite_requests
    import gglib_desktop.adapters.runner.kinds
    import gglib_desktop.services.servers.server
    import gglib_desktop.services.traffic.recording  # noqa: F401


@dataclass
class _Services:
    """The parts of the program that the window and quitting need."""

    settings: SettingsKeeper
    runner: WindowRunner
    supervisor: Supervisor
    view_model: WindowViewModel
    instance: SingleInstance
    scope: TaskScope
    library: Library
    endpoints: EndpointParts
    advising: AdvisorParts

    async def running(self) -> int:
        """How many servers live on this computer, once those of an earlier session have been found."""
        await self.view_model.servers.adopted()
        return self.supervisor.running_at(OWN_PLACES.__contains__)

    async def belong_to_another(self, models: tuple[Path, ...], quitting: QuitController) -> bool:
        """Whether another instance, started in the same moment, has the data directory and took the models.

        One that is just ending is waited for.
        """
        deadline = time.monotonic() + _OTHER_INSTANCE_S
        while True:
            try:
                await self.runner.list_running()
                return False
            except DataDirectoryInUse:
                if await asyncio.to_thread(self.instance.hand_over, models):
                    return True
                if quitting.is_ordered or time.monotonic() > deadline:
                    return False
            except RunnerUnavailable:
                return False  # for a reason that is told when its servers are taken over
            await asyncio.sleep(0.2)

    def follow_work(self, recorder: RequestRecorder, store: RequestStore) -> None:
        """From now on the figures of servers at work are known, and the history of their requests."""
        from gglib_desktop.adapters.files.text_files import DiskTextFiles
        from gglib_desktop.services.traffic.live import LiveFigures

        told = {"off_times": self.advising.off_times}
        live = LiveFigures(self.supervisor, self.runner, self.scope, recorder.subscribe, store, **told)
        live.subscribe_to_counters(recorder.take_counters)
        self.view_model.servers.follow(Work(live, recorder, store, DiskTextFiles()))
        live.begin()
        self._measure_with_the_first_server(live)

    def _measure_with_the_first_server(self, live: LiveFigures) -> None:
        """Before, the library of a graphics driver would take 3 MiB in vain."""
        from gglib_desktop.services.servers.snapshot import ServerChanged, SupervisorEvent

        def on_event(event: SupervisorEvent) -> None:
            if isinstance(event, ServerChanged):
                from gglib_desktop.adapters.machine.memory import PsutilMemory
                from gglib_desktop.adapters.machine.nvidia import NvidiaMemory

                end()
                self.scope.start(live.measure(PsutilMemory(), NvidiaMemory()), name="measure memory")

        end = self.supervisor.subscribe(on_event)

    def follow_files(self) -> None:
        """From now on what changes in the folders of models and in the settings file is seen at once."""
        from gglib_desktop.adapters.files.file_watch import InotifyFileWatch
        from gglib_desktop.services.models.folder_watch import FolderWatch

        FolderWatch(self.library, InotifyFileWatch(), self.scope).begin()
        scan_places(self.runner, self.library, self.settings, self.scope)
        with contextlib.suppress(OSError):
            private.make_folder(self.settings.path.parent)
        self.scope.start(self.settings.watch(InotifyFileWatch()), name="watch settings")

    async def listen(self, window: MainWindow) -> None:
        """From now on later starts of the program show this window."""

        def on_second_start(paths: list[Path]) -> None:
            window.raise_to_front()
            self.view_model.library.add(paths)

        await self.instance.listen(on_second_start)

    async def end(self, on_quit: OnQuit) -> None:
        """Stops the servers or leaves them running, as ``on_quit`` says. Closes the view-models."""
        # A program started from now on must not be handed to one that ends.
        await self.instance.aclose()
        self.supervisor.refuse_starts()
        await self.view_model.servers.adopted()
        await stop_servers(self.supervisor, self.settings.current, on_quit)
        await _audit(self.runner, on_quit)
        self.view_model.close()


async def _build_services(
    options: Options, places: Places, reporter: ErrorReporter, stack: contextlib.AsyncExitStack
) -> _Services:
    """The object graph, built by constructor; ``stack`` takes it down in reverse."""
    settings = SettingsKeeper(TomlSettingsStore(places.settings))
    keys = cache(partial(key_store, places))
    questions = SshQuestionsViewModel()
    opened, catalog = runner_and_catalog(options.runner, places.data_dir, settings, keys, questions)
    repository = SqliteModelRepository(LibraryFile(places.data_dir / "library.sqlite"))
    instance = SingleInstance(places.data_dir)
    stack.push_async_callback(repository.file.aclose)
    runner = await stack.enter_async_context(opened)
    stack.push_async_callback(instance.aclose)
    scope = await stack.enter_async_context(TaskScope(reporter))
    library = Library(repository, DiskModelFiles(places.data_dir / "models", well_known_stores(os.environ)))
    supervisor = _supervisor(runner, library, settings, reporter)
    stack.push_async_callback(supervisor.aclose)
    launcher = _make_launcher(
        library,
        supervisor,
        _engines(runner, catalog, settings, options.runner),
        settings,
        mtp_suppressed=mtp_is_suppressed(os.environ),
        renew_router=lambda config: dialogs().routers.renewed(config),  # noqa: PLW0108  # they are loaded late
        measured=lambda *of: advising.measured(*of),  # noqa: PLW0108  # it is made below
    )
    parts = (library, supervisor, launcher, settings, scope)
    endpoints = EndpointParts(places, settings, scope, stack)
    advising: AdvisorParts = AdvisorParts(places.data_dir, scope, stack, launcher.forecast)

    @cache
    def dialogs() -> Dialogs:
        from gglib_desktop.dialogs import Dialogs, place_kinds

        kinds = (*place_kinds(places.data_dir, settings, questions), endpoints.kind())
        return Dialogs(*parts, repository.file, places.data_dir / "routers", keys, kinds, lambda: advising.advisor)

    foreign = ForeignWatch(runner, supervisor, library, scope)
    view_model = window_view_model(*parts, foreign=foreign, dialogs=dialogs, questions=questions)
    return _Services(settings, runner, supervisor, view_model, instance, scope, library, endpoints, advising)


def _engines(runner: WindowRunner, catalog: EngineCatalog, settings: SettingsKeeper, kind: str) -> Engines:
    async def ask_place(place: str, engine: str | None) -> Engine:
        return await runner.engine_at(place, engine)  # the bare method would load the runner

    return Engines(catalog, settings, cache(partial(engines_of, kind)), ask_place=ask_place)


def _supervisor(runner: Runner, library: Library, settings: SettingsKeeper, reporter: ErrorReporter) -> Supervisor:
    return Supervisor(
        runner,
        runner,
        reporter,
        stop_grace_s=lambda: settings.current.stop_grace_s,
        restart_policy=lambda model_id: library.restart_policy(model_id, settings.current.defaults.restart),
        examine_model=library.examine,
    )


def window_view_model(
    library: Library,
    supervisor: Supervisor,
    launcher: Launcher,
    settings: SettingsKeeper,
    scope: TaskScope,
    *,
    foreign: ForeignWatch,
    dialogs: Callable[[], Dialogs],
    questions: SshQuestionsViewModel,
) -> WindowViewModel:
    """What the window binds to."""
    launch = LaunchViewModel(launcher, scope, lambda start: dialogs().launch_forms(start))
    models = LibraryViewModel(
        library, supervisor, scope, lambda model: dialogs().model_details(model), launcher.place_name
    )
    settings.subscribe(lambda _changed: models.models.show_places())
    return WindowViewModel(
        scope,
        library=models,
        launch=launch,
        servers=ServersViewModel(supervisor, launcher, library, settings, scope),
        foreign=ForeignViewModel(foreign, scope, lambda data_dir: SingleInstance(data_dir).hand_over(())),
        engine=EngineViewModel(launcher.engines, settings, scope),
        settings=SettingsViewModel(settings, lambda: dialogs().settings_pages(launch.forms)),
        questions=questions,
    )


def _forecast(model: Model, serving: Serving) -> ByteRange | None:
    """Reads the model's header; in a thread."""
    from gglib_desktop.adapters.gguf.header import read_header
    from gglib_desktop.domain.launch.serving import memory_of

    try:
        return memory_of(model, read_header(model.path), serving)
    except InvalidModelFile:
        return None


def _drafting_obstacle(model: Path, draft: Path) -> str | None:
    """Reads both files; in a thread."""
    from gglib_desktop.adapters.gguf.drafting import drafting_obstacle

    return drafting_obstacle(model, draft)


_make_launcher: Callable[..., Launcher] = partial(Launcher, forecast=_forecast, drafting_obstacle=_drafting_obstacle)


def _build_window(app: QApplication, services: _Services, places: Places) -> MainWindow:
    app.setApplicationDisplayName("GGLib Desktop")
    app.setDesktopFileName(_APP)
    app.setWindowIcon(app_icon())
    apply_theme(app, services.settings.current.theme)
    services.settings.subscribe(lambda changed: apply_theme(app, changed.theme))
    with contextlib.suppress(OSError):
        private.make_folder(places.data_dir)
        private.make_file(places.data_dir / "window.ini")  # keeps its permissions when it is written anew
    geometry = QSettings(str(places.data_dir / "window.ini"), QSettings.Format.IniFormat)
    window = MainWindow(services.view_model, geometry, places.data_dir)
    window.show()
    return window


def _connect_quitting(
    app: QApplication, window: MainWindow, quitting: QuitController, settings: SettingsKeeper
) -> ShutdownWatch:
    loop = asyncio.get_running_loop()

    def order() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(quitting.order)

    shutdown = ShutdownWatch(order, lambda: settings.current.stop_grace_s + SHUTDOWN_MARGIN_S)
    shutdown.start()
    app.commitDataRequest.connect(lambda _session: quitting.order())
    window.closeRequested.connect(quitting.wish)
    return shutdown


async def _audit(runner: Runner, on_quit: OnQuit) -> None:
    """The last look: what still runs by the records and the kernel, against what was wanted."""
    try:
        running = await runner.list_running()
    except GglibError as exc:
        _log.warning("nothing could be audited: %s", exc)
        return
    left = [handle for handle in running if handle.place in OWN_PLACES]
    if left and on_quit is OnQuit.STOP_ALL:
        _log.error("still running although all were to be stopped: %s", left)
    else:
        _log.info("left running: %s", [(handle.model_name, handle.pid, handle.port) for handle in running])
