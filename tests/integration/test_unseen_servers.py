"""Servers whose sockets the system hides, and servers that are no descendants of the program that was started.

Nothing is hidden from root, so root runs the tests of hidden servers again without its privileges.
"""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local.free_ports import is_let_go
from gglib_desktop.adapters.places.local.processes import process_identity
from gglib_desktop.adapters.places.local.server_process import ServerProcess
from gglib_desktop.adapters.places.stop_ladder import stop_process
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import NotRunning, PortTaken, StartFailed, StopFailed
from gglib_desktop.domain.servers.health import ProbeResult
from tests.contract.harness import SHORT_GRACE_S, STUB, LocalHarness
from tests.contract.test_local_runner import end, record_file
from tests.contract.test_process_runner import becomes_healthy, thief
from tests.fakes.processes import those
from tests.fakes.waiting import poll

PYTHON = Path(sys.executable).resolve()
_CAP_SYS_PTRACE = 1 << 19
# The pid of a process that is not ours to end.
OTHERS_PROCESS = "GGLIB_TEST_OTHERS_PROCESS"


def sees_all() -> bool:
    status = Path("/proc/self/status").read_text()
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) & _CAP_SYS_PTRACE)


needs_hiding = pytest.mark.skipif(sees_all(), reason="nothing is hidden from root")

# Starts the programs whose lines come through a pipe, as a container engine does: without its client's environment.
_MANAGER = """
import os, subprocess, sys
started = []
while True:
    with open(sys.argv[1]) as pipe:
        for line in pipe:
            words = line.split()
            started.append(subprocess.Popen(words, env={"GGLIB_TEST_HARNESS": os.environ["GGLIB_TEST_HARNESS"]}))
"""


def started(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(words, env=environment)


def llama_server(folder: Path) -> Path:
    """A program of that name that runs the stub."""
    return Path(shutil.copy(PYTHON, folder / "llama-server"))


@pytest.fixture
async def harness(data_dir: Path, tmp_path: Path, tiny_model: Path):
    harness = LocalHarness(data_dir, tmp_path, tiny_model)
    yield harness
    async with harness.runner_with(harness.stub) as runner:
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))
    left = harness.processes()
    for process in left:
        process.kill()
    assert left == []


class Manager:
    """A program that runs servers for others, and engines that have it do so."""

    def __init__(self, harness: LocalHarness, folder: Path) -> None:
        self._folder = folder
        self._pipe = folder / "orders"
        os.mkfifo(self._pipe)
        self.process = subprocess.Popen([sys.executable, "-c", _MANAGER, str(self._pipe)], env=harness.environment)

    def engine(self, then: str, *, add: str = "", model: str = "") -> Path:
        """Hands its arguments to the manager and then does what ``then`` says, in shell."""
        program = self._folder / "wrapper"
        server = f"{llama_server(self._folder)} -I -S {STUB}"
        replaced = f"""$(printf '%s' "$*" | sed 's|-m [^ ]*|-m {model}|')""" if model else "$*"
        order = f'printf "%s\\n" "{server} {replaced} {add}" > {shlex.quote(str(self._pipe))}'
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *--help*|*--version*) exec {server} "$@";; esac\n{order}\n{then}\n'
        )
        program.chmod(0o755)
        return program

    def servers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return those(children, lambda each: each.status() != psutil.STATUS_ZOMBIE)

    def end(self) -> None:
        for server in self.servers():
            server.kill()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def manager(harness: LocalHarness, tmp_path: Path):
    manager = Manager(harness, tmp_path)
    yield manager
    manager.end()


def nothing_left(harness: LocalHarness, manager: Manager) -> bool:
    return [each.pid for each in harness.processes()] == [manager.process.pid] and not manager.servers()


# -- servers that do not descend from the program that was started


@pytest.mark.parametrize("then", ["exec sleep 600", "trap 'exit 0' TERM; sleep 600 & wait"])
async def test_a_server_that_a_manager_runs_becomes_healthy_and_stops(harness, manager, then):
    """As with ``systemd-run --wait``, which does not pass the signal on."""
    async with harness.runner_with(manager.engine(then)) as runner:
        handle = await runner.start(harness.config())
        await becomes_healthy(runner, handle)
        foreign = {server.pid for server in await runner.list_foreign()}
        assert not foreign & {server.pid for server in manager.servers()}, "it is ours"
        await runner.stop(handle)
        assert nothing_left(harness, manager)
        assert list((harness.data_dir / "servers").iterdir()) == []
        with pytest.raises(NotRunning):
            await runner.stop(handle)


async def test_a_server_behind_a_wrapper_ends_with_it(harness, manager):
    async with harness.runner_with(manager.engine("exec sleep 600")) as runner:
        handle = await runner.start(harness.config())
        os.kill(handle.pid, signal.SIGKILL)
        assert (await runner.wait_exit(handle)).signal_number == signal.SIGKILL
        assert nothing_left(harness, manager)


async def test_a_server_behind_a_wrapper_is_killed(harness, manager):
    engine = manager.engine("exec sleep 600", add="--stub-ignore-sigterm")
    async with harness.runner_with(engine, grace_s=SHORT_GRACE_S) as runner:
        handle = await runner.start(harness.config())
        await runner.kill(handle)
        assert nothing_left(harness, manager)


async def test_a_later_runner_stops_a_server_behind_a_wrapper(harness, manager):
    engine = manager.engine("exec sleep 600")
    async with harness.runner_with(engine) as runner:
        handle = await runner.start(harness.config())
    async with harness.runner_with(engine) as runner:
        assert await runner.list_running() == [handle]
        await runner.stop(handle)
        assert nothing_left(harness, manager)


async def test_a_server_whose_wrapper_ended_meanwhile_is_adopted(harness, manager):
    engine = manager.engine("exec sleep 600")
    async with harness.runner_with(engine) as runner:
        handle = await runner.start(harness.config())
    end(handle)
    async with harness.runner_with(engine) as runner:
        (found,) = await runner.list_running()
        assert found.pid == manager.servers()[0].pid
        await runner.stop(found)
        assert nothing_left(harness, manager)


async def test_a_cancelled_start_leaves_no_server_behind_a_wrapper(harness, manager):
    async with harness.runner_with(manager.engine("exec sleep 600", add="--stub-mute")) as runner:
        starting = asyncio.ensure_future(runner.start(harness.config()))
        await poll(manager.servers)
        starting.cancel()
        await asyncio.wait({starting})
        assert nothing_left(harness, manager)


async def test_a_wrapper_that_ends_at_once_leaves_no_server(harness, manager):
    """As ``podman run --detach``."""
    async with harness.runner_with(manager.engine("sleep 0.5; exit 0", add="--stub-mute")) as runner:
        with pytest.raises(StartFailed):
            await runner.start(harness.config())
        assert nothing_left(harness, manager)


async def test_a_server_that_left_its_parent_answers_for_the_start(harness, tmp_path):
    wrapper = tmp_path / "wrapper"
    stub = harness.stub
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *--help*|*--version*) exec {stub} "$@";; esac\n'
        f'( setsid {stub} "$@" & )\nexec sleep 600\n'
    )
    wrapper.chmod(0o755)
    async with harness.runner_with(wrapper) as runner:
        handle = await runner.start(harness.config())
        await becomes_healthy(runner, handle)
        await runner.stop(handle)
        assert harness.processes() == []


async def test_a_server_of_a_different_run_with_the_same_arguments_is_left_alone(harness, manager):
    """Another GGLib Desktop may ask for the same at the same time."""
    mute = harness.config(extra_args=["--stub-mute"])
    async with harness.runner_with(harness.stub) as runner:
        starting = asyncio.ensure_future(runner.start(mute))
        (ours,) = await poll(harness_servers(harness, manager))
        other = started(ours.cmdline(), harness.environment | {INSTANCE_VARIABLE: "another"})
        await poll(lambda: psutil.Process(other.pid).cmdline() == ours.cmdline())
        starting.cancel()
        await asyncio.wait({starting})
        assert not ours.is_running()
        assert other.poll() is None
        other.kill()
        other.wait()


def harness_servers(harness, manager):
    def servers():
        found = [each for each in harness.processes() if each.pid != manager.process.pid]
        return those(found, lambda each: str(STUB) in each.cmdline())

    return servers


# -- servers whose sockets the system hides


@pytest.mark.skipif(not sees_all() or not shutil.which("setpriv"), reason="only root has privileges to give up")
def test_without_privileges() -> None:
    other = subprocess.Popen(["setpriv", "--reuid=65534", "sleep", "600"])
    poorer = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    tests = ["pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "hidden or another"]
    words = [*poorer, sys.executable, "-B", "-m", *tests]
    environment = os.environ | {OTHERS_PROCESS: str(other.pid)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    other.kill()
    other.wait()
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout.splitlines()[-1]


@needs_hiding
@pytest.mark.parametrize("script", ['exec {stub} "$@" --stub-hidden', '{stub} "$@" --stub-hidden'])
async def test_a_hidden_server_becomes_healthy_and_stops(harness, tmp_path, script):
    """A program with file capabilities; the second as the child of a wrapper script."""
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f"#!/bin/sh\n{script.format(stub=harness.stub)}\nexit $?\n")
    wrapper.chmod(0o755)
    async with harness.runner_with(wrapper) as runner:
        handle = await runner.start(harness.config())
        await becomes_healthy(runner, handle)
    async with harness.runner_with(wrapper) as runner:
        assert await runner.list_running() == [handle]
        await becomes_healthy(runner, handle)
        await runner.stop(handle)
        assert not harness.is_there(handle)
    assert list((harness.data_dir / "servers").iterdir()) == []


def _is_hidden(data_dir: Path) -> bool:
    """Whether the server that was recorded hides already. Before, it is seen for moments only."""
    pids = [record.pid for record in RecordStore(data_dir / "servers").records() if record.pid is not None]
    try:
        for pid in pids:
            psutil.Process(pid).environ()
    except psutil.AccessDenied:
        return True
    return False


@needs_hiding
async def test_a_stranger_who_is_seen_never_answers_for_a_hidden_server(harness):
    async with harness.runner_with(harness.stub) as runner:
        config = harness.config(extra_args=["--stub-hidden", "--stub-mute"])
        starting = asyncio.ensure_future(runner.start(config))
        await poll(lambda: _is_hidden(harness.data_dir))
        async with thief(config.base_port) as asked:
            await poll(lambda: len(asked) >= 3)
            assert not starting.done()
        starting.cancel()
        await asyncio.wait({starting})


@needs_hiding
async def test_a_hidden_stranger_does_not_answer_for_a_server_that_ends(harness, manager):
    works = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; exit 1"
    engine = manager.engine(works, add="--stub-hidden", model="/other.gguf")
    async with harness.runner_with(engine) as runner:
        with pytest.raises(PortTaken):
            await runner.start(harness.config(port=harness.config().base_port))
        assert await runner.list_running() == []
    assert len(manager.servers()) == 1, "not known to be ours, so left alone"


@needs_hiding
async def test_a_hidden_server_that_a_manager_runs_is_healthy_and_its_rest_is_told(harness, manager):
    """The manager changes the arguments, as a container does that has its own folders."""
    async with harness.runner_with(
        manager.engine("exec sleep 600", add="--stub-hidden", model="/other.gguf")
    ) as runner:
        handle = await runner.start(harness.config())
        await becomes_healthy(runner, handle)
        with pytest.raises(StopFailed, match=f"still listens on port {handle.port}"):
            await runner.stop(handle)
        assert record_file(harness).exists(), "for the next runner"
        ended = asyncio.ensure_future(runner.wait_exit(handle))
        assert (await runner.probe(handle, 2)).result is ProbeResult.OK, "it still serves, and is shown so"
        assert not ended.done()
        (server,) = manager.servers()
        server.kill()
        await runner.stop(handle)
        assert (await ended).asked_for
        assert list((harness.data_dir / "servers").iterdir()) == []


@needs_hiding
async def test_a_hidden_foreign_server_can_be_adopted(harness, tmp_path):
    program = llama_server(tmp_path)
    port = harness.config().base_port
    words = [str(program), "-I", "-S", str(STUB), "-m", str(harness.model), "--host", "127.0.0.1", "--port", str(port)]
    server = started([*words, "--stub-hidden"], harness.environment)
    async with harness.runner_with(harness.stub) as runner:
        await poll(lambda: not psutil_can_see(server.pid))
        (found,) = [each for each in await runner.list_foreign() if each.pid == server.pid]
        handle = await runner.adopt(found)
        await becomes_healthy(runner, handle)
        await runner.stop(handle)
    server.wait()


def psutil_can_see(pid: int) -> bool:
    try:
        return psutil.Process(pid).environ() is not None
    except psutil.AccessDenied:
        return False


@needs_hiding
async def test_of_another_users_process_it_is_said_that_it_cannot_be_ended():
    pid = int(os.environ.get(OTHERS_PROCESS, "1"))
    identity = process_identity(pid)
    assert identity is not None
    process = ServerProcess(pid, identity, tag=(INSTANCE_VARIABLE, ""), group=None)
    with pytest.raises(StopFailed, match=f"process {pid} belongs to another user"):
        await stop_process(process, is_free=partial(is_let_go, 0), grace_s=1)
    process.forget()
