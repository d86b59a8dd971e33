"""What commit ebbab85 wrote goes on working: its records with the servers that run, its library and its settings.

The files in ``tests/fakes/earlier`` are its own; a test changes only what another computer has otherwise.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.documents.toml_settings import TomlSettingsStore
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.adapters.library.sqlite_presets import SqlitePresetStore
from gglib_desktop.adapters.places.local.processes import executable_of, process_identity
from gglib_desktop.api import create_runner
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError, NotRunning
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Unreachable
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.contract.harness import LocalHarness, MockHarness
from tests.fakes.library import FakeModelFiles
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import poll

EARLIER = Path(__file__).parents[1] / "fakes" / "earlier"
RECORD = json.loads((EARLIER / "record.json").read_text())
RUN = RECORD["run"]


def put_record(data_dir: Path, **changes: object) -> None:
    (data_dir / "servers").mkdir(parents=True)
    (data_dir / "servers" / f"{RUN}.json").write_text(json.dumps(RECORD | changes))


@pytest.fixture
def left(local: LocalHarness, tmp_path):
    """A server as that version left it, with its record."""
    port = local.config().base_port
    log = local.data_dir / "logs" / f"{RUN}.log"
    log.parent.mkdir(parents=True)
    command = (local.stub, "-m", local.model, "--host", "127.0.0.1", "--port", str(port), "--metrics", "-c", "512")
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=local.environment | {INSTANCE_VARIABLE: RUN}, stderr=output, start_new_session=True
        )
    identity = process_identity(process.pid)
    put_record(
        local.data_dir,
        port=port,
        pid=process.pid,
        identity=identity,
        executable=executable_of(process.pid),
        executable_file=None,
        argv_hash=None,
        started_at=int(psutil.Process(process.pid).create_time()),
    )
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


async def test_a_server_that_it_left_is_adopted_and_stopped(local, left):
    async with local.runner() as runner:
        (handle,) = await runner.list_running()
        assert (handle.pid, handle.place, handle.run) == (left.pid, "local", "")
        known = runner.describe(handle)
        assert (known.config.context_size, known.config.extra_args, known.log_name) == (512, ("--alias", "coder"), RUN)
        await poll(lambda: answers(runner, handle))
        ending = left.pid
        await runner.stop(handle)
        assert not psutil.pid_exists(ending) or psutil.Process(ending).status() == psutil.STATUS_ZOMBIE
        assert not list((local.data_dir / "servers").iterdir())


async def answers(runner, handle):
    return (await runner.health(handle)).healthy


async def test_its_record_says_the_place_once_it_is_adopted(local, left):
    async with local.runner() as runner:
        await runner.list_running()
        (file,) = (local.data_dir / "servers").iterdir()
        assert json.loads(file.read_text())["place"] == "local"
        (handle,) = await runner.list_running()
        await runner.stop(handle)


def test_its_handles_are_those_of_this_computer():
    handle = ProcessHandle.from_json((EARLIER / "handle.json").read_text())
    assert (handle.model_name, handle.place, handle.run) == ("Demo model", "local", "")


async def test_a_server_of_an_unknown_place_keeps_its_record_and_is_shown(local):
    put_record(local.data_dir, place="attic")
    async with local.runner() as runner:
        assert await runner.list_running() == []
        supervisor = Supervisor(runner, runner, KeptBugs())
        story = Story(supervisor)
        assert await supervisor.adopt() == 0
        assert await supervisor.adopt() == 0
        (server,) = supervisor.servers
        assert isinstance(server.state, Unreachable)
        assert (server.state.place, server.log_name) == ("attic", RUN)
        assert not supervisor.has_live_server(server.config.model_id)
        assert server.state.reason == "there is no place attic in the settings"
        supervisor.restart(server.id)
        assert story.state(server.id) == server.state, "it may run there, so it would be a second one"
        await supervisor.aclose()
    assert [file.stem for file in (local.data_dir / "servers").iterdir()] == [RUN]


async def test_a_runner_leaves_the_servers_of_other_places_alone(local, left, data_dir):
    mock = MockHarness(data_dir, local.model)
    async with mock.runner() as simulated:
        assert await simulated.list_running() == []
        (known,) = simulated.unreachable()
        assert known.config.place == "local"
        with pytest.raises(ConfigurationError, match="place"):
            await simulated.start(mock.config(place="attic"))
    async with local.runner() as runner:
        (handle,) = await runner.list_running()
        assert handle.pid == left.pid
        await runner.stop(handle)
        with pytest.raises(NotRunning):
            await runner.health(handle)


async def test_handles_tell_the_place_and_the_default_means_the_runners_own(data_dir, local):
    mock = MockHarness(data_dir, local.model)
    async with create_runner("mock", data_dir=data_dir) as runner:
        for config in (mock.config(), mock.config(place="mock")):
            handle = await runner.start(config)
            assert handle.place == "mock"
            await runner.kill(handle)


async def test_its_simulated_servers_go_on(mock):
    mock.data_dir.mkdir(exist_ok=True)
    shutil.copy(EARLIER / "mock-servers.json", mock.data_dir)
    async with mock.runner() as runner:
        (handle,) = await runner.list_running()
        assert (handle.model_name, handle.port, handle.place) == ("Tiny", 46000, "mock")
    async with mock.runner() as runner:
        assert await runner.list_running() == [handle]
        await poll(lambda: answers(runner, handle))
        await runner.stop(handle)
    assert not list(mock.data_dir.glob("mock-servers*"))


@pytest.mark.parametrize("text", ["", "[]", '{"servers": [{}]}', '{"servers": 1}'])
async def test_what_it_cannot_have_written_of_simulated_servers_is_set_aside(mock, text):
    mock.data_dir.mkdir(exist_ok=True)
    (mock.data_dir / "mock-servers.json").write_text(text)
    async with mock.runner() as runner:
        assert await runner.list_running() == []
    assert (mock.data_dir / "mock-servers.unreadable").read_text() == text


async def test_its_library_and_presets_are_read(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "library.sqlite")) as old:
        old.executescript((EARLIER / "library.sql").read_text())
    file = LibraryFile(tmp_path / "library.sqlite")
    library = Library(SqliteModelRepository(file), FakeModelFiles(tmp_path / "models"))
    await library.load()
    (model,) = library.models
    assert model.name == "Tiny demo"
    options = await library.launch_options(model.id)
    assert (options.context_size, options.alias, options.extra_args) == (512, "coder", ("--no-warmup",))
    (preset,) = await SqlitePresetStore(file).presets(None)
    assert (preset.name, preset.options.context_size) == ("Long context", 8192)
    await file.aclose()


def test_its_settings_are_read(tmp_path):
    shutil.copy(EARLIER / "settings.toml", tmp_path / "settings.toml")
    keeper = SettingsKeeper(TomlSettingsStore(tmp_path / "settings.toml"))
    assert (keeper.problem, keeper.current.base_port, keeper.current.stop_grace_s) == (None, 9100, 7.0)
