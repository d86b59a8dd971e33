"""Servers that other programs started: found, taken over, ended, and nothing but that one process ever touched."""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient
from gglib_desktop.adapters.places.local.processes import process_identity
from gglib_desktop.api import Runner
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.states import Crashed, Healthy, Stopped
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.contract.harness import SHORT_GRACE_S, LocalHarness, stop_all
from tests.contract.test_process_runner import becomes_healthy, whole_log
from tests.fakes.ports import some_base_port
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import DEADLINE_S, poll

SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")


class Elsewhere:
    """A user who starts servers by hand, in a folder and with an environment of their own."""

    def __init__(self, engine: Path, harness: LocalHarness) -> None:
        self._engine = engine
        self._harness = harness
        self.folder = harness.model.parent
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, **options) -> subprocess.Popen[bytes]:
        """The model is named relative to the folder."""
        argv = (str(self._engine), "-m", self._harness.model.name, "--port", str(some_base_port()), *words)
        return self.run(argv, **options)

    def run(self, argv: tuple[str, ...], **options) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self._harness.environment | options.pop("env", {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options,
        )
        self.started.append(process)
        return process

    def output_of(self, script: str) -> str:
        """What a shell prints that ends and leaves behind what it started."""
        environment = self._harness.environment
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.folder, env=environment, stdout=subprocess.PIPE, check=True
        )
        return done.stdout.decode()

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()


@pytest.fixture
def elsewhere(engine_path: Path, local: LocalHarness) -> Iterator[Elsewhere]:
    elsewhere = Elsewhere(engine_path, local)
    yield elsewhere
    elsewhere.end()


@pytest.fixture
async def harness(local: LocalHarness):
    yield local
    await stop_all(local)


@pytest.fixture
async def runner(harness: LocalHarness):
    async with harness.runner() as runner:
        yield runner


async def found(runner: Runner, pid: int) -> ForeignServer:
    """The listed server with this pid, once it listens."""

    async def listed():
        servers = await runner.list_foreign()
        return [server for server in servers if server.pid == pid and runs_on_its_port(server)]

    server: ForeignServer = (await poll(listed))[0]  # type: ignore[index]  # mypy cannot tell what poll awaits
    return server


async def loaded(port: int) -> None:
    """Returns when the model there is loaded."""
    client = LlamaClient()

    async def ready():
        return (await client.probe(ServerAddress(port), 1)).result is ProbeResult.OK

    await poll(ready)
    await client.aclose()


def runs_on_its_port(server: ForeignServer) -> bool:
    connections = psutil.Process(server.pid).net_connections(kind="tcp")
    return server.port in {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}


def lives(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def stranger(process: subprocess.Popen[bytes], port: int | None = None) -> ForeignServer:
    """Any process, as the runner would describe it."""
    identity = process_identity(process.pid)
    assert identity is not None
    return ForeignServer(process.pid, identity, port, None, "some server", 0, None, int(time.time()))


# -- finding


@pytest.mark.llama
async def test_it_is_listed_with_what_is_known_of_it(harness, runner, elsewhere):
    before = time.time()
    process = elsewhere.start("-c", "512")
    server = await found(runner, process.pid)
    argv = process.args
    assert server.port == int(argv[argv.index("--port") + 1])
    assert server.model_path == harness.model.resolve()
    assert server.command_line.endswith("-c 512")
    assert server.rss_bytes > 1_000_000
    assert server.parent is not None
    assert server.parent.endswith(f"({os.getpid()})")
    # The system tells whole seconds, of a clock that may run a little beside this one.
    assert before - 2 < server.started_at < time.time() + 2


@pytest.mark.llama
async def test_our_own_are_not_listed_not_even_while_they_start(harness, runner):
    starting = asyncio.ensure_future(runner.start(harness.config()))
    seen: set[int] = set()
    while not starting.done():
        seen |= {server.pid for server in await runner.list_foreign()}
    handle = await starting
    seen |= {server.pid for server in await runner.list_foreign()}
    assert handle.pid not in seen


@pytest.mark.llama
async def test_those_of_another_data_directory_are_listed_as_such(harness, runner, tmp_path):
    async with harness.runner(tmp_path / "other") as other:
        handle = await other.start(harness.config())
        assert (await found(runner, handle.pid)).parent == f"another GGLib Desktop ({os.getpid()})"
        await other.stop(handle)
    assert handle.pid not in {server.pid for server in await runner.list_foreign()}


@pytest.mark.llama
async def test_what_a_running_program_looks_after_is_neither_taken_nor_ended(harness, runner, tmp_path):
    async with harness.runner(tmp_path / "other") as other:
        handle = await other.start(harness.config())
        server = await found(runner, handle.pid)
        assert server.kept_by == tmp_path / "other"
        for act in (runner.adopt, runner.stop_foreign):
            with pytest.raises(RunnerUnavailable, match="another GGLib Desktop, which runs"):
                await act(server)
        assert await other.is_running(handle)
        assert list(await runner.list_running()) == []
        await other.stop(handle)


@pytest.mark.llama
async def test_what_a_program_left_running_is_taken_over_for_good(harness, runner, tmp_path):
    async with harness.runner(tmp_path / "other") as other:
        handle = await other.start(harness.config())
    server = await found(runner, handle.pid)
    assert server.kept_by is None
    adopted = await runner.adopt(server)
    assert adopted.pid == handle.pid
    async with harness.runner(tmp_path / "other") as later:
        assert list(await later.list_running()) == [], "only one window shows it as its own"
    assert list((tmp_path / "other" / "servers").glob("*.json")) == []
    await runner.kill(adopted)
    await asyncio.to_thread(os.waitpid, handle.pid, 0)  # our child, whom the one that adopted it does not know as such


ADOPTS = """
import asyncio, os, sys
from pathlib import Path
from gglib_desktop.api import create_runner

async def main(data_dir, pid):
    async with create_runner("local", data_dir=data_dir) as runner:
        await runner.adopt(next(server for server in await runner.list_foreign() if server.pid == pid))
        print("adopted", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(Path(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.llama
async def test_what_a_running_program_took_over_is_its_own_too(harness, runner, elsewhere, tmp_path):
    process = elsewhere.start()
    server = await found(runner, process.pid)
    assert server.kept_by is None
    assert server.port is not None
    await loaded(server.port)
    argv = (sys.executable, "-c", ADOPTS, "gglib-desktop", str(tmp_path / "other"), str(process.pid))
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe)
    assert other.stdout is not None
    try:
        assert await other.stdout.readline() == b"adopted\n"
        server = await found(runner, process.pid)
        assert server.kept_by == tmp_path / "other"
        with pytest.raises(RunnerUnavailable, match="another GGLib Desktop, which runs"):
            await runner.adopt(server)
    finally:
        await other.communicate(b"")
    server = await found(runner, process.pid)
    assert server.kept_by is None, "that program has ended"


@pytest.mark.llama
async def test_one_whose_starter_is_gone_says_so(runner, elsewhere, engine_path, harness):
    port = some_base_port()
    script = f"'{engine_path}' -m {harness.model.name} --port {port} > /dev/null 2>&1 & echo $!"
    pid = int(elsewhere.output_of(script))
    server = await found(runner, pid)
    assert server.parent is None
    await runner.stop_foreign(server)
    await poll(lambda: process_identity(pid) is None)


async def test_other_programs_are_not_listed_and_one_that_only_helps_neither(runner, elsewhere, engine_path):
    process = elsewhere.run(SLEEPER)
    helping = elsewhere.run((str(engine_path), "--help"))
    pids = {server.pid for server in await runner.list_foreign()}
    assert not pids & {process.pid, helping.pid}


# -- taking over


@pytest.mark.llama
async def test_an_adopted_one_is_as_a_started_one(harness, runner, elsewhere):
    process = elsewhere.start("-c", "1024", "--spec-type", "draft-mtp", "--spec-draft-n-max", "2")
    server = await found(runner, process.pid)
    handle = await runner.adopt(server)
    assert (handle.pid, handle.port, handle.model_name) == (process.pid, server.port, harness.model.stem)
    assert handle.model_id == -process.pid
    assert await runner.list_running() == [handle]
    assert server.pid not in {each.pid for each in await runner.list_foreign()}
    assert (await becomes_healthy(runner, handle)).context_size == 1024
    config = runner.describe(handle).config
    assert (config.context_size, config.spec_draft_n_max) == (1024, 2)
    assert (config.port, config.model_path, config.extra_args) == (server.port, harness.model.resolve(), ())
    assert runner.describe(handle).command_line == server.command_line
    assert (await whole_log(runner, runner.describe(handle).log_name)).count("\n") == 1
    assert "not started by GGLib Desktop" in await whole_log(runner, runner.describe(handle).log_name)
    assert await runner.adopt(server) == handle, "once more changes nothing"

    await runner.stop(handle)
    assert not await runner.is_running(handle)
    assert process.wait(1) is not None
    assert (await runner.wait_exit(handle)).asked_for
    assert list((harness.data_dir / "servers").glob("*")) == []


@pytest.mark.llama
async def test_two_clicks_are_one_adoption(runner, elsewhere):
    server = await found(runner, elsewhere.start().pid)
    handles = await asyncio.gather(*(runner.adopt(server, model_id=3, model_name="Mine") for _ in range(3)))
    assert len(set(handles)) == 1
    assert (handles[0].model_id, handles[0].model_name) == (3, "Mine")


@pytest.mark.llama
async def test_a_model_from_elsewhere_is_the_one_that_the_server_names(harness, runner, elsewhere):
    server = await found(runner, elsewhere.start().pid)
    assert server.port is not None
    await loaded(server.port)
    handle = await runner.adopt(dataclasses.replace(server, model_path=None))
    assert runner.describe(handle).config.model_path.name == harness.model.name
    assert handle.model_name == harness.model.stem


@pytest.mark.llama
async def test_its_end_is_seen_at_once_though_it_is_nobodys_of_ours_to_reap(runner, elsewhere):
    process = elsewhere.start()
    handle = await runner.adopt(await found(runner, process.pid))
    waiting = asyncio.ensure_future(runner.wait_exit(handle))
    await asyncio.sleep(0)
    os.kill(process.pid, signal.SIGKILL)
    end = await waiting
    assert (end.status, end.stopped_by) == (None, StopRung.NONE)
    assert process.wait(DEADLINE_S) == -signal.SIGKILL, "its own parent has reaped it"


@pytest.mark.llama
@pytest.mark.parametrize("how", ["stop", "kill", "crash", "stop after a restart", "stop_foreign"])
async def test_nobody_else_in_its_group_is_touched(harness, elsewhere, how):
    """The worst case: it leads its group, so that a signal to the group would reach its neighbours too."""
    process = elsewhere.start(process_group=0)
    neighbour = elsewhere.run(SLEEPER, process_group=process.pid)
    brother = elsewhere.run(SLEEPER)
    async with harness.runner() as runner:
        server = await found(runner, process.pid)
        if how == "stop_foreign":
            await runner.stop_foreign(server)
        else:
            handle = await runner.adopt(server)
        if how == "stop":
            await runner.stop(handle)
        if how == "kill":
            await runner.kill(handle)
        if how == "crash":
            os.kill(process.pid, signal.SIGKILL)
            await runner.wait_exit(handle)
    if how == "stop after a restart":
        async with harness.runner() as runner:
            assert await runner.list_running() == [handle]
            await runner.stop(handle)
    assert process.wait(2) is not None
    assert os.getpgid(neighbour.pid) == process.pid
    assert lives(neighbour)
    assert lives(brother)


@pytest.mark.llama
async def test_a_supervisor_shows_it_healthy_crashed_and_stopped(runner, elsewhere):
    bugs = KeptBugs()
    supervisor = Supervisor(runner, runner, bugs)
    story = Story(supervisor)
    first, second = elsewhere.start(), elsewhere.start()
    ids = [supervisor.take_over(await runner.adopt(await found(runner, p.pid))) for p in (first, second)]
    for server_id in ids:
        await story.reaches(server_id, Healthy.word)
    os.kill(first.pid, signal.SIGKILL)
    crashed = await story.reaches(ids[0], Crashed.word)
    assert crashed.failure.exit.status is None
    await supervisor.stop(ids[1])
    assert isinstance(story.state(ids[1]), Stopped)
    await supervisor.aclose()
    assert not bugs.bugs


# -- refusals


@pytest.mark.llama
async def test_one_that_is_gone_in_between_is_not_running(harness, runner, elsewhere):
    process = elsewhere.start()
    server = await found(runner, process.pid)
    process.kill()
    await poll(lambda: process_identity(process.pid) is None)
    for again in range(2):
        with pytest.raises(NotRunning):
            await runner.adopt(server)
        with pytest.raises(NotRunning):
            await runner.stop_foreign(server)
        if not again:
            process.wait()
    assert harness.traces() == []


@pytest.mark.llama
async def test_another_process_with_that_pid_is_untouched(harness, runner, elsewhere):
    process = elsewhere.start()
    earlier = dataclasses.replace(await found(runner, process.pid), identity="earlier")
    with pytest.raises(NotRunning):
        await runner.adopt(earlier)
    with pytest.raises(NotRunning):
        await runner.stop_foreign(earlier)
    assert lives(process)
    assert not list((harness.data_dir / "servers").glob("*"))


@pytest.mark.parametrize(
    ("port", "reason"),
    [(None, "no port that can be reached"), (80, "from 1024 up"), (some_base_port(), "does not listen on port")],
)
async def test_without_a_port_of_ours_it_cannot_be_adopted(harness, runner, elsewhere, port, reason):
    process = elsewhere.run(SLEEPER)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        await runner.adopt(stranger(process, port))
    assert caught.value.field == "port"
    assert lives(process)
    assert not list((harness.data_dir / "servers").glob("*"))


async def test_a_port_that_answers_something_else_is_refused(runner, elsewhere):
    port = some_base_port()
    process = elsewhere.run((sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)))
    await poll(lambda: runs_on_its_port(stranger(process, port)))
    with pytest.raises(ConfigurationError, match="does not answer"):
        await runner.adopt(stranger(process, port))
    assert lives(process)


@pytest.mark.skipif(not hasattr(os, "setresuid") or os.getuid() != 0, reason="only root can become another user")
async def test_another_users_process_is_left_alone(runner, elsewhere):
    process = elsewhere.run(SLEEPER)
    server = stranger(process, 9000)
    await runner.list_running()
    os.setresuid(65534, 65534, 0)
    try:
        for action in (runner.adopt, runner.stop_foreign):
            with pytest.raises(RunnerUnavailable, match="another user"):
                await action(server)
    finally:
        os.setresuid(0, 0, 0)
    assert lives(process)


async def test_one_that_ignores_sigterm_is_killed_alone(harness, elsewhere):
    process = elsewhere.run(
        (str(harness.stub), "--port", str(some_base_port()), "--host", "127.0.0.1", "--stub-ignore-sigterm"),
        process_group=0,
    )
    neighbour = elsewhere.run(SLEEPER, process_group=process.pid)
    port = int(process.args[2])
    await poll(lambda: runs_on_its_port(stranger(process, port)))
    async with harness.runner_with(harness.stub, grace_s=SHORT_GRACE_S) as runner:
        await runner.stop_foreign(stranger(process, port))
    assert process.wait(DEADLINE_S) == -signal.SIGKILL
    assert lives(neighbour)


# -- records


@pytest.mark.llama
async def test_the_record_says_that_the_group_is_not_ours(harness, runner, elsewhere):
    await runner.adopt(await found(runner, elsewhere.start().pid))
    (file,) = (harness.data_dir / "servers").glob("*.json")
    written = json.loads(file.read_text())
    assert written["owns_group"] is False
    del written["owns_group"]
    assert ServerRecord.from_mapping(written).owns_group, "records of earlier versions are of our own servers"


async def test_simulated_servers_have_no_strangers_among_them(mock):
    async with mock.runner() as runner:
        assert list(await runner.list_foreign()) == []
        gone = ForeignServer(1, "identity", 9000, None, "", 0, None, 0)
        with pytest.raises(NotRunning):
            await runner.adopt(gone)
        with pytest.raises(NotRunning):
            await runner.stop_foreign(gone)
