"""A supervisor over simulated or scripted servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.library import FakeModelFiles
from tests.fakes.supervision import Story

QUICK = MockTimings(answer_s=0.02, load_s=0.05, stop_s=0.03)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "pretend.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


@pytest.fixture
def config(model_file):
    def config(*extra_args, model_id=1, **changes):
        return ServerConfig(model_id, f"Model {model_id}", model_file, 9000, extra_args=extra_args, **changes)

    return config


@pytest.fixture
async def mock(data_dir) -> AsyncIterator[MockRunner]:
    async with MockRunner(data_dir, timings=QUICK) as runner:
        yield runner


@pytest.fixture
async def supervisor(mock, bugs) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(mock, mock, bugs)
    yield supervisor
    await supervisor.aclose()


@pytest.fixture
def story(supervisor) -> Story:
    return Story(supervisor)


@pytest.fixture
def files(tmp_path: Path) -> FakeModelFiles:
    return FakeModelFiles(tmp_path / "models")


@pytest.fixture
async def repository(data_dir) -> AsyncIterator[SqliteModelRepository]:
    repository = SqliteModelRepository(LibraryFile(data_dir / "library.sqlite"))
    yield repository
    await repository.file.aclose()


@pytest.fixture
async def library(repository, files) -> Library:
    library = Library(repository, files)
    await library.load()
    return library
