"""The program without its outer shell, over simulated servers: everything between files and pixels."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.documents.preset_files import TomlPresetFiles
from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.bootstrap import window_view_model
from gglib_desktop.dialogs import Dialogs
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.launch.engines import Engines
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.launch.presets import Presets
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.services.traffic.live import LiveFigures
from gglib_desktop.services.traffic.recording import RequestRecorder
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import Work
from gglib_desktop.viewmodels.settings.ssh_questions import SshQuestionsViewModel
from gglib_desktop.viewmodels.window import WindowViewModel
from tests.fakes.details import FakeCards
from tests.fakes.library import FakeModelFiles, some_facts
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import KeptBugs
from tests.fakes.waiting import poll, tasks_done

TIMINGS = MockTimings(answer_s=0.02, load_s=0.05, stop_s=0.03)


@dataclass
class Program:
    """The parts, and what tests do with them again and again."""

    app: WindowViewModel
    runner: MockRunner
    supervisor: Supervisor
    launcher: Launcher
    library: Library
    settings: SettingsKeeper
    scope: TaskScope
    files: FakeModelFiles
    catalog: FakeEngineCatalog
    store: FakeSettingsStore
    presets: Presets

    @property
    def models(self) -> ModelListViewModel:
        return self.app.library.models

    async def open(self, *paths: Path) -> None:
        self.app.open(paths)
        await poll(lambda: self.app.is_ready)

    async def add(self, name: str = "Tiny", facts: ModelFacts | None = None) -> Model:
        """Adds a model through the view-model."""
        path = self.files.make(f"{name}.gguf", facts or some_facts(name, mtp_layers=1))
        self.app.library.add([path])

        def listed() -> Model | None:
            return next((model for model in self.library.models if model.path == path.resolve()), None)

        model = await poll(listed)
        await tasks_done("add models")
        assert model is not None
        return model

    async def healthy(self, server_id: int) -> None:
        """Returns when the server is."""
        await poll(lambda: self.supervisor.server(server_id).state.word == "Healthy")

    def told(self) -> list[tuple[str, object]]:
        """What the view-models tell from now on, each with its name."""
        told: list[tuple[str, object]] = []
        app = self.app
        app.servers.added.connect(lambda server: told.append(("added", server.id)))
        app.servers.removed.connect(lambda server_id: told.append(("removed", server_id)))
        app.servers.current.opened.connect(lambda server: told.append(("shown", server.id)))
        app.servers.reconnected.connect(lambda count: told.append(("adopted", count)))
        app.failed.connect(lambda error: told.append(("failed", error)))
        app.settings.newsTold.connect(lambda news: told.append(("settingsNews", news)))
        self.models.selectRequested.connect(lambda model_id: told.append(("select", model_id)))
        return told

    def start(self, model: Model, *flags: str, **fields: Any) -> int:
        """Starts it with flags that simulate something."""
        return self.supervisor.start(ServerConfig(model.id, model.name, model.path, 9000, extra_args=flags, **fields))


@asynccontextmanager
async def running_program(folder: Path, bugs: KeptBugs) -> AsyncIterator[Program]:
    """Builds everything, and takes it down at the end like the real program."""
    data_dir = folder / "data"
    async with AsyncExitStack() as stack:
        repository = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
        stack.push_async_callback(repository.file.aclose)
        runner = await stack.enter_async_context(MockRunner(data_dir, timings=TIMINGS))
        scope = await stack.enter_async_context(TaskScope(bugs))
        supervisor = Supervisor(runner, runner, bugs)
        stack.push_async_callback(supervisor.aclose)
        files, catalog, store = FakeModelFiles(folder / "models"), FakeEngineCatalog(), FakeSettingsStore()
        library, settings = Library(repository, files), SettingsKeeper(store)
        launcher = Launcher(library, supervisor, Engines(catalog, settings), settings, mtp_suppressed=False)
        foreign = ForeignWatch(runner, supervisor, library, scope)
        presets = Presets(SqlitePresetStore(repository.file), TomlPresetFiles())
        kept = (repository.file, data_dir / "routers")
        dialogs = Dialogs(library, supervisor, launcher, settings, scope, *kept, keys=None, graphics=FakeCards())
        app = window_view_model(
            *(library, supervisor, launcher, settings, scope),
            foreign=foreign,
            dialogs=lambda: dialogs,
            questions=SshQuestionsViewModel(),
        )
        history = SqliteRequestStore(data_dir / "requests.sqlite")
        stack.push_async_callback(history.aclose)
        recorder = RequestRecorder(supervisor, history, lambda: settings.current, bugs)
        stack.push_async_callback(recorder.aclose)
        recorder.begin()
        live = LiveFigures(supervisor, runner, scope, recorder.subscribe, history)
        app.servers.follow(Work(live, recorder, history, DiskTextFiles()))
        live.begin()
        yield Program(app, runner, supervisor, launcher, library, settings, scope, files, catalog, store, presets)
        app.close()
