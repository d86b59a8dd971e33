"""What starts, waits for and ends processes is tested on both event loops: plain asyncio, as other programs use the
adapters, and the program's own. What stands on that is tested on the program's own alone.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from gglib_desktop.api import Runner
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.conftest import qt_loop
from tests.contract.harness import (
    DASLLAMAS,
    ContainerHarness,
    DasllamaHarness,
    Harness,
    LocalHarness,
    MockHarness,
    NamespaceHarness,
    ParrotHarness,
    SshHarness,
    stop_all,
)
from tests.fakes.container_services import PodmanService
from tests.fakes.namespace_place import refusal
from tests.fakes.sshd import Sshd
from tests.fakes.supervision import KeptBugs, Story
from tests.places import is_required, skip_place

_ON_BOTH_LOOPS = {
    "test_local_runner",
    "test_local_runner_edges",
    "test_local_runner_hostile",
    "test_process_runner",
    "test_single_program",
}
# Of a third place and a second engine; all of it on both loops would cost as much again as everything else.
_LIVES_ON_BOTH_LOOPS = {"test_any_call_may_be_the_first", "test_an_exit_comes_as_an_event_and_is_not_looked_for"}
H = TypeVar("H", bound=LocalHarness)


def pytest_asyncio_loop_factories(config, item):
    plain = {"asyncio": asyncio.new_event_loop} if item.path.stem in _ON_BOTH_LOOPS else {}
    return {**plain, "qt": qt_loop}


def pytest_collection_modifyitems(items):
    """The proofs of a third place and a second engine run on the plain loop too where they go through a whole life."""
    items[:] = [
        item for item in items if item.originalname in _LIVES_ON_BOTH_LOOPS or not _is_proof_on_plain_loop(item)
    ]
    if not is_required("docker"):
        # One of them says why.
        unwanted = [item for item in items if "docker" in _ids(item)][1:]
        items[:] = [item for item in items if item not in unwanted]


def _is_proof_on_plain_loop(item: pytest.Item) -> bool:
    ids = _ids(item)
    is_proof = ids & {"netns", "parrot", "dasllama", "podman", "docker", "ssh"} or "two" in getattr(
        item, "fixturenames", ()
    )
    return bool(is_proof) and "asyncio" in ids


def _ids(item: pytest.Item) -> set[str]:
    callspec = getattr(item, "callspec", None)
    return set(callspec.id.split("-")) if callspec is not None else set()


@pytest.fixture
def local(data_dir: Path, engine_path: Path, tiny_model: Path) -> Iterator[LocalHarness]:
    with nothing_left(LocalHarness(data_dir, engine_path, tiny_model)) as harness:
        yield harness


@pytest.fixture
def netns(data_dir: Path, engine_path: Path, tiny_model: Path) -> Iterator[NamespaceHarness]:
    if why := refusal():
        skip_place("netns", f"the kernel gives no network namespace: {why}")
    with nothing_left(NamespaceHarness(data_dir, engine_path, tiny_model)) as harness:
        yield harness


@pytest.fixture
def parrot(data_dir: Path, tiny_model: Path) -> Iterator[ParrotHarness]:
    with nothing_left(ParrotHarness(data_dir, tiny_model)) as harness:
        yield harness


@pytest.fixture
async def dasllama(data_dir: Path, tiny_model: Path) -> AsyncIterator[DasllamaHarness]:
    try:
        engine = await DASLLAMAS.find(None)
    except ConfigurationError as exc:
        pytest.skip(exc.reason)
    with nothing_left(DasllamaHarness(data_dir, engine.path, tiny_model)) as harness:
        yield harness


@contextmanager
def nothing_left(harness: H) -> Iterator[H]:
    yield harness
    left = harness.processes()
    for process in left:
        process.kill()
    assert not left, "processes that the test left running"


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    """One that listens. The test may kill it and start it again."""
    if why := Sshd.refusal():
        skip_place("ssh", why)
    with tempfile.TemporaryDirectory(prefix="gglib-sshd-") as folder:
        sshd = Sshd(Path(folder))
        sshd.configure()
        sshd.start()
        yield sshd
        sshd.kill()


@pytest.fixture
def podman(data_dir: Path, tiny_model: Path, podman_service: PodmanService) -> Iterator[ContainerHarness]:
    with no_containers_left(ContainerHarness(data_dir, tiny_model, podman_service), podman_service) as harness:
        yield harness


@pytest.fixture
def docker(data_dir: Path, tiny_model: Path, docker_service: PodmanService) -> Iterator[ContainerHarness]:
    with no_containers_left(ContainerHarness(data_dir, tiny_model, docker_service), docker_service) as harness:
        yield harness


@contextmanager
def no_containers_left(harness: ContainerHarness, service: PodmanService) -> Iterator[ContainerHarness]:
    yield harness
    assert not service.remove_all(), "containers that the test left"


@pytest.fixture
def ssh(data_dir: Path, engine_path: Path, tiny_model: Path) -> Iterator[SshHarness]:
    if why := Sshd.refusal():
        skip_place("ssh", why)
    with (
        TemporaryDirectory(prefix="ssh-") as folder,
        nothing_left(SshHarness(data_dir, engine_path, tiny_model, Path(folder))) as harness,
    ):
        harness.sshd.start()
        yield harness
        harness.sshd.kill()


@pytest.fixture
def mock(data_dir: Path, tiny_model: Path) -> MockHarness:
    return MockHarness(data_dir, tiny_model)


@pytest.fixture(
    params=[
        *(
            pytest.param(name, marks=pytest.mark.llama)
            for name in ("local", "netns", "dasllama", "podman", "docker", "ssh")
        ),
        "mock",
        "parrot",
    ]
)
def bare_harness(request: pytest.FixtureRequest) -> Harness:
    harness: Harness = request.getfixturevalue(request.param)
    return harness


@pytest.fixture
async def harness(bare_harness: Harness) -> AsyncIterator[Harness]:
    yield bare_harness
    await stop_all(bare_harness)


@pytest.fixture
async def runner(harness: Harness) -> AsyncIterator[Runner]:
    async with harness.runner() as runner:
        yield runner


@pytest.fixture
async def story(runner: Runner) -> AsyncIterator[Story]:
    bugs = KeptBugs()
    supervisor = Supervisor(runner, runner, bugs)
    yield Story(supervisor)
    await supervisor.stop_all()
    await supervisor.aclose()
    assert bugs.bugs == []
