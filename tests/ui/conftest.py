"""The real window over simulated servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from gglib_desktop.adapters.runners.mock import MockRunner
from gglib_desktop.adapters.runners.mock_server import MockTimings
from gglib_desktop.adapters.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.gguf import ModelFacts
from gglib_desktop.domain.model import Model
from gglib_desktop.domain.server import ServerConfig
from gglib_desktop.services.launcher import Launcher
from gglib_desktop.services.library import Library
from gglib_desktop.services.settings_keeper import SettingsKeeper
from gglib_desktop.services.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.app import AppViewModel
from gglib_desktop.views.main_window import MainWindow
from gglib_desktop.views.server_panel import ServerPanel
from tests.fakes.accessibility import names, seen_in
from tests.fakes.library import FakeModelFiles, some_facts
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore
from tests.fakes.supervision import KeptBugs
from tests.fakes.waiting import poll

TIMINGS = MockTimings(answer_s=0.02, load_s=0.05, stop_s=0.03)


@dataclass
class Desk:
    """The program without its outer shell: everything between files and pixels."""

    window: MainWindow
    app: AppViewModel
    runner: MockRunner
    supervisor: Supervisor
    library: Library
    files: FakeModelFiles
    catalog: FakeEngineCatalog
    store: FakeSettingsStore

    async def open(self, *paths: Path) -> None:
        self.app.open(paths)
        await poll(lambda: self.app.state.ready)

    async def add(self, name: str = "Tiny", facts: ModelFacts | None = None) -> Model:
        """A model in the library, selected."""
        path = self.files.make(f"{name}.gguf", facts or some_facts(name, mtp_layers=1))
        self.app.add([path])

        def listed() -> Model | None:
            return next((model for model in self.library.models if model.path == path.resolve()), None)

        model = await poll(listed)
        assert model is not None
        await poll(lambda: self.app.models.selected is not None and self.app.models.selected.id == model.id)
        return model

    def start(self, model: Model, *flags: str, **fields: Any) -> int:
        """Starts it with flags that simulate something."""
        return self.supervisor.start(ServerConfig(model.id, model.name, model.path, 9000, extra_args=flags, **fields))

    def panel(self, title: str) -> ServerPanel:
        (found,) = [p for p in self.window.findChildren(ServerPanel) if p.accessibleName() == f"Server: {title}"]
        assert isinstance(found, ServerPanel)
        return found

    async def panel_in(self, title: str, word: str) -> ServerPanel:
        """The panel, once it says that its server is in the state with this word."""

        def says() -> bool:
            shown = [node.name for node in seen_in(self.window)]
            return f"Server: {title}" in shown and f"Health: {word}" in [
                node.name for node in seen_in(self.panel(title))
            ]

        await poll(says)
        return self.panel(title)


@pytest.fixture
def bugs():
    kept = KeptBugs()
    yield kept
    assert not kept.bugs


@pytest.fixture
async def desk(qapp, tmp_path: Path, bugs: KeptBugs) -> AsyncIterator[Desk]:
    data_dir = tmp_path / "data"
    async with AsyncExitStack() as stack:
        repository = SqliteModelRepository(data_dir / "library.sqlite")
        stack.push_async_callback(repository.aclose)
        runner = await stack.enter_async_context(MockRunner(data_dir, timings=TIMINGS))
        scope = await stack.enter_async_context(TaskScope(bugs))
        supervisor = Supervisor(runner, runner, bugs)
        stack.push_async_callback(supervisor.aclose)
        files, catalog, store = FakeModelFiles(tmp_path / "models"), FakeEngineCatalog(), FakeSettingsStore()
        library, settings = Library(repository, files), SettingsKeeper(store)
        launcher = Launcher(library, supervisor, catalog, settings, mtp_suppressed=False)
        app = AppViewModel(library, supervisor, launcher, settings, scope)
        geometry = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
        window = MainWindow(app, geometry, data_dir)
        window.show()
        yield Desk(window, app, runner, supervisor, library, files, catalog, store)
        app.close()
        window.close_for_good()
    delete(window)


def text_of(top: QWidget) -> str:
    """All text on screen."""
    return "\n".join(names(top, *{node.role for node in seen_in(top)}))
