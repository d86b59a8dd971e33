"""Servers on another computer when the link, the program, the supervisor or the computer goes. The link is not ssh
here, but one that a test can cut; the scripts and the processes are real.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gglib_desktop.adapters.runner.machines import machine_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.failures import Absence, StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.local_machine import LocalMachine
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama
SHELLS = [("dash",), ("bash",), ("busybox", "sh")]


class Elsewhere:
    """A computer with one engine and one model, and programs that use it from here."""

    def __init__(self, folder: Path, data_dir: Path, engine: Path, model: Path) -> None:
        self.folder, self.data_dir, self.engine = folder, data_dir, engine
        self.runs = folder / ".local/state/gglib-desktop/runs"
        self.machine = LocalMachine(folder)
        self.config = ServerConfig.from_mapping(
            {"model_id": 7, "model_name": "Tiny", "model_path": model, "base_port": some_base_port(), "threads": 1}
        )

    def runner(self, data_dir: Path | None = None, *, shell: tuple[str, ...] = ("dash",)) -> RecordedRunner:
        self.machine = LocalMachine(self.folder, shell)
        return machine_runner(
            "ssh://there", data_dir or self.data_dir, self.engine, machine=self.machine, environment=os.environ
        )

    def run_folder(self) -> Path:
        (folder,) = self.runs.glob("[0-9]*")
        return folder

    def pids(self) -> list[int]:
        """Of all servers that were started and are not known to have ended."""
        return [
            int((each / "pid").read_text().split()[0])
            for each in self.runs.glob("[0-9]*")
            if (each / "pid").exists() and not (each / "exit").exists()
        ]


@pytest.fixture
async def there(data_dir, engine_path, tiny_model) -> AsyncIterator[Elsewhere]:
    # The path of a socket must be short.
    with TemporaryDirectory(prefix="there-") as folder:
        elsewhere = Elsewhere(Path(folder), data_dir, engine_path, tiny_model)
        yield elsewhere
        left = elsewhere.pids()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        assert left == [], "servers that the test left running"


@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "bash", "busybox"])
async def test_a_link_that_is_lost_ends_no_server(there, shell):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    async with there.runner(shell=shell) as runner:
        handle = await runner.start(there.config)
        await becomes_healthy(runner, handle)
        assert str(there.runs) in runner.describe(handle).command_line, "it listens on a socket there"
        ending = asyncio.ensure_future(runner.wait_exit(handle))

        await there.machine.lose()

        assert (await runner.probe(handle, 2)).result is ProbeResult.UNREACHABLE
        with pytest.raises(RunnerUnavailable):
            await runner.is_running(handle)
        with pytest.raises(RunnerUnavailable):
            await runner.stop(handle)
        assert await runner.list_running() == [handle]
        assert await runner.usage(handle) is None
        assert not ending.done()

        await there.machine.come_back()
        await becomes_healthy(runner, handle)
        await poll(lambda: runner.usage(handle))
        await runner.stop(handle)
        assert ((await ending).status, (await ending).stopped_by) == (0, StopRung.SIGTERM)


async def test_an_end_while_the_link_is_lost_is_told_when_it_is_back(there):
    async with there.runner() as runner:
        handle = await runner.start(there.config)
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        await there.machine.lose()
        os.kill(handle.pid, signal.SIGSEGV)
        await poll((there.run_folder() / "exit").exists)
        assert not ending.done()
        await there.machine.come_back()
        assert (await ending).signal_number == signal.SIGSEGV


async def test_a_stop_goes_on_there_when_the_link_is_lost(there):
    async with there.runner() as runner:
        handle = await runner.start(there.config)
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        os.kill(handle.pid, signal.SIGSTOP)
        stopping = asyncio.ensure_future(runner.stop(handle))
        await poll((there.run_folder() / "stopping").exists)
        await there.machine.lose()
        with pytest.raises(RunnerUnavailable):
            await stopping
        await poll((there.run_folder() / "exit").exists)
        await there.machine.come_back()
        assert (await ending).asked_for


async def test_a_start_that_was_given_up_without_a_link_is_undone_when_it_is_back(there):
    async with there.runner() as runner:
        starting = asyncio.ensure_future(runner.start(there.config))
        await poll(lambda: any(there.runs.glob("[0-9]*/launch")) or there.pids())
        await there.machine.lose()
        starting.cancel()
        await asyncio.wait({starting})
        await there.machine.come_back()
        await poll(lambda: not there.pids())
        assert await runner.list_running() == []


async def test_another_data_directory_adopts_it_only_without_a_lease(there, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    async with there.runner() as runner:
        handle = await runner.start(there.config)
        await becomes_healthy(runner, handle)
        await poll(lambda: any(there.runs.glob(".lease-*")))
    async with there.runner(other) as second:
        assert await second.list_running() == []
        (foreign,) = await second.list_foreign()
        assert str(there.data_dir) in str(foreign.kept_by)
        with pytest.raises(RunnerUnavailable):
            await second.adopt(foreign)
        # Renewed an hour ago, or by the uptime of another run of that computer.
        (lease,) = there.runs.glob(".lease-*")
        uptime, boot = lease.read_text().split()
        lease.write_text(f"{int(uptime) - 3600} {boot}\n")
        (foreign,) = await second.list_foreign()
        adopted = await second.adopt(foreign)
        assert adopted.pid == handle.pid
        await becomes_healthy(second, adopted)
        assert await second.list_foreign() == []
    async with there.runner() as first:
        assert await first.list_running() == []
        assert first.take_lost() == []
    async with there.runner(other) as second:
        (found,) = await second.list_running()
        await second.stop(found)


@pytest.mark.parametrize("gone", ["supervisor", "computer"])
async def test_what_no_one_saw_ends_with_a_code_that_is_not_known(there, gone):
    async with there.runner() as runner:
        handle = await runner.start(there.config)
        await becomes_healthy(runner, handle)
    folder = there.run_folder()
    supervisor = int((folder / "supervisor").read_text().split()[0])
    if gone == "computer":
        # As after it was started again: its boot has another id. What runs here now is a stranger.
        pid, start, _boot = (folder / "pid").read_text().split()
        (folder / "pid").write_text(f"{pid} {start} 00000000-0000-0000-0000-000000000000\n")
    else:
        os.kill(supervisor, signal.SIGKILL)
        os.killpg(handle.pid, signal.SIGKILL)
    async with there.runner() as runner:
        assert await runner.list_running() == []
        (lost,) = runner.take_lost()
        absence = Absence.COMPUTER_RESTARTED if gone == "computer" else Absence.NOT_RUNNING
        assert (lost.end.status, lost.end.absence) == (None, absence)
    if gone == "computer":
        os.kill(handle.pid, 0)
        os.killpg(handle.pid, signal.SIGKILL)
        await poll((folder / "exit").exists)
    else:
        (folder / "exit").write_text("\n")


async def test_a_port_that_is_taken_meanwhile_is_another_one_after_a_restart(there):
    async with there.runner() as runner:
        handle = await runner.start(there.config)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", handle.port)
    async with there.runner() as runner:
        (found,) = await runner.list_running()
        assert (found.pid, found.port == handle.port) == (handle.pid, False)
        await becomes_healthy(runner, found)
        assert runner.endpoint(found) == f"http://127.0.0.1:{found.port}/v1"
        await runner.stop(found)
    server.close()


async def test_a_folder_of_runs_that_others_may_open_is_not_used(there):
    there.runs.mkdir(parents=True)
    there.runs.chmod(0o755)
    async with there.runner() as runner:
        with pytest.raises(StartFailed, match="chmod 700"):
            await runner.start(there.config)
        there.runs.rmdir()
        there.runs.symlink_to(there.folder)
        with pytest.raises(StartFailed, match="must be a folder of this user's own"):
            await runner.start(there.config)
        with pytest.raises(ConfigurationError, match="there is no such file on that computer"):
            await runner.start(there.config.replace(model_path=there.folder / "no.gguf"))
