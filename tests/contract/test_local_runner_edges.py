"""The runner of real processes where the system or an engine plays along badly: no watches, wrappers, busy threads."""

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local.processes import process_identity
from gglib_desktop.adapters.places.local.server_process import ServerProcess
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable, StartFailed
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.servers.diagnosis import failure_of_error
from gglib_desktop.domain.servers.failures import FailureCause, StopRung
from tests.contract.harness import STUB, LocalHarness, stop_all
from tests.contract.test_local_runner import edit_record, end, record_file, start_in_a_program_that_dies
from tests.contract.test_process_runner import becomes_healthy, log_says, thief
from tests.fakes.waiting import DEADLINE_S, poll

OTHER = "another's"


@pytest.fixture
async def harness(local: LocalHarness):
    yield local
    await stop_all(local)


@pytest.fixture
async def stub_runner(harness: LocalHarness):
    async with harness.runner_with(harness.stub) as runner:
        yield runner


@pytest.fixture
def wrapper(harness: LocalHarness, tmp_path: Path) -> Path:
    """An engine that is a shell script with the real program as its child."""
    program = tmp_path / "wrapper"
    program.write_text(f"#!/bin/sh\n'{sys.executable}' -I -S '{STUB}' \"$@\"\nexit $?\n")
    program.chmod(0o755)
    return program


def zombies() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


# -- starting


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSYS])
async def test_a_server_that_cannot_be_watched_does_not_run(harness, stub_runner, monkeypatch, number):
    await stub_runner.stop(await stub_runner.start(harness.config()))

    def refuse(_pid, _flags=0):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", refuse)
        with pytest.raises(RunnerUnavailable, match="cannot watch"):
            await stub_runner.start(harness.config(extra_args=["--stub-family"]))
    assert harness.processes() == []
    assert zombies() == []
    assert list((harness.data_dir / "servers").iterdir()) == []


async def test_an_exit_is_seen_while_somebody_else_holds_the_question(harness, stub_runner):
    """A program that took the port and does not answer must not hide that our process ended, nor answer for it."""
    config = harness.config(extra_args=["--stub-mute"])
    starting = asyncio.ensure_future(stub_runner.start(config))
    await poll(harness.processes)
    async with thief(config.base_port, answers=False) as asked:
        await poll(lambda: asked)
        (process,) = harness.processes()
        process.kill()
        with pytest.raises(StartFailed) as caught:
            await starting
    assert failure_of_error(caught.value, diagnose).cause is FailureCause.KILLED


async def test_an_unwanted_server_that_survives_stays_known_until_it_ends(harness, stub_runner, monkeypatch, caplog):
    starting = asyncio.ensure_future(stub_runner.start(harness.config(extra_args=["--stub-mute"])))
    (process,) = await poll(harness.processes)
    record = record_file(harness)
    await poll(lambda: json.loads(record.read_text())["pid"] == process.pid)
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", lambda _pid, _number: None)
        starting.cancel()
        await asyncio.wait({starting})
    assert starting.cancelled()
    assert json.loads(record.read_text())["pid"] == process.pid
    assert "goes on; its port and memory stay in use" in caplog.text
    process.kill()
    await poll(lambda: not record.exists())
    assert zombies() == []


# -- records


async def reopened(harness: LocalHarness):
    async with harness.runner_with(harness.stub) as runner:
        return list(await runner.list_running())


@pytest.mark.parametrize(
    "changes",
    [
        {"executable": OTHER, "executable_file": OTHER},
        {"argv_hash": OTHER},
        # As an earlier version wrote it, before the program file was moved.
        {"executable": OTHER, "executable_file": None},
        {"executable": OTHER, "argv_hash": OTHER},
        {"executable_file": OTHER, "argv_hash": OTHER},
    ],
)
async def test_a_server_whose_program_was_moved_is_still_ours(harness, changes):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    edit_record(harness, **changes)
    assert await reopened(harness) == [handle]


async def test_a_record_of_an_earlier_version_is_read(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    record = json.loads(record_file(harness).read_text())
    del record["executable_file"]
    record_file(harness).write_text(json.dumps(record))
    assert await reopened(harness) == [handle]


async def test_a_process_that_runs_something_else_now_is_set_aside(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    edit_record(harness, executable=OTHER, executable_file=OTHER, argv_hash=OTHER)
    assert await reopened(harness) == []
    (aside,) = (harness.data_dir / "servers").iterdir()
    assert aside.suffix == ".unreadable"
    assert process_identity(handle.pid)
    aside.rename(aside.with_suffix(".json"))
    edit_record(harness, executable=None)
    assert await reopened(harness) == [handle]


async def test_a_server_that_cannot_be_watched_now_keeps_its_record(harness, monkeypatch):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())

    def refuse(_pid, _flags=0):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", refuse)
        assert await reopened(harness) == []
    assert await reopened(harness) == [handle]


def test_a_record_that_cannot_be_read_just_now_stays(tmp_path):
    # What no program can read, not even root's, and not for its content.
    (tmp_path / "away.json").symlink_to(tmp_path / "away.json")
    assert list(RecordStore(tmp_path).records()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["away.json"]


# -- ending


async def test_the_clean_up_never_ends_the_server_itself(harness, stub_runner):
    handle = await stub_runner.start(harness.config(extra_args=["--stub-family"]))
    identity = process_identity(handle.pid)
    assert identity is not None
    tag = ("GGLIB_INSTANCE", stub_runner.describe(handle).log_name)
    process = ServerProcess(handle.pid, identity, tag=tag, group=handle.pid)
    process.kill_leftovers()
    assert len(harness.processes()) == 2
    assert process_identity(handle.pid) == identity
    process.forget()
    await stub_runner.stop(handle)


async def test_leaving_during_a_stop_does_not_kill_the_server(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.late_config())
        stopping = asyncio.ensure_future(runner.stop(handle))
        await log_says(runner, runner.describe(handle).log_name, "asked to end")
    await asyncio.wait({stopping})
    assert await reopened(harness) == [handle]


async def test_leftovers_that_end_by_themselves_do_not_fail_a_stop(harness, stub_runner, monkeypatch):
    def gone(process):
        raise psutil.NoSuchProcess(process.pid)

    handle = await start_in_a_program_that_dies(harness, harness.stub, harness.config(extra_args=["--stub-family"]))
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "kill", gone)
        await stub_runner.stop(handle)
    for process in harness.processes():
        process.kill()


# -- engines that are wrapper scripts


async def test_the_child_of_an_adopted_wrapper_ends_with_it(harness, wrapper):
    handle = await start_in_a_program_that_dies(harness, wrapper, harness.config())
    assert len(harness.processes()) == 2
    async with harness.runner_with(wrapper) as runner:
        assert await runner.list_running() == [handle]
        await harness.kill_behind_back(handle)
        assert (await runner.wait_exit(handle)).stopped_by is StopRung.NONE
        await poll(lambda: not harness.processes())


async def test_what_a_wrapper_runs_counts_as_used(harness, wrapper):
    async with harness.runner_with(wrapper) as runner:
        handle = await runner.start(harness.config())
        await becomes_healthy(runner, handle)
        usages = [await runner.usage(handle)]
    async with harness.runner_with(wrapper) as runner:
        assert await runner.list_running() == [handle]
        usages.append(await runner.usage(handle))
        (child,) = psutil.Process(handle.pid).children()
        child.suspend()
        await poll(lambda: child.status() == psutil.STATUS_STOPPED)
        paused = await runner.usage(handle)
        child.resume()
    both = psutil.Process(handle.pid).memory_info().rss + child.memory_info().rss
    assert [usage.rss_bytes for usage in usages] == pytest.approx([both, both], rel=0.1)
    assert paused.paused
    assert not usages[0].paused


async def dies_unwatched(process: psutil.Process) -> None:
    """Its parent is gone; the reaper of such orphans may take its time."""
    process.kill()
    await poll(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def sleeper(harness: LocalHarness, run: str) -> subprocess.Popen[bytes]:
    """A process with the tag of a run, in a session and a group of its own."""
    environment = harness.environment | {"GGLIB_INSTANCE": run}
    return subprocess.Popen(["/bin/sleep", "60"], env=environment, start_new_session=True)


@pytest.fixture
async def orphan(harness: LocalHarness, wrapper: Path) -> psutil.Process:
    """A server whose wrapper script died while no program ran."""
    handle = await start_in_a_program_that_dies(harness, wrapper, harness.config())
    script = psutil.Process(handle.pid)
    (server,) = script.children()
    await dies_unwatched(script)
    return server


async def test_the_server_of_a_dead_wrapper_is_taken_over_as_itself(harness, orphan):
    for _session in range(2):
        async with harness.runner_with(harness.stub) as runner:
            (handle,) = await runner.list_running()
            assert handle.pid == orphan.pid
            await becomes_healthy(runner, handle)
    assert json.loads(record_file(harness).read_text())["pid"] == orphan.pid
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [handle]
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        await runner.stop(handle)
        assert (await ending).stopped_by is StopRung.SIGTERM
    assert harness.processes() == []
    assert list((harness.data_dir / "servers").iterdir()) == []


async def test_one_that_was_begun_when_the_program_died_need_not_listen_yet(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    end(handle)
    edit_record(harness, pid=None, identity=None, started_at=None, executable=None, argv_hash=None)
    mute = sleeper(harness, record_file(harness).stem)
    async with harness.runner_with(harness.stub) as runner:
        (found,) = await runner.list_running()
        assert found.pid == mute.pid
        await runner.kill(found)
    assert mute.wait() is not None


async def test_the_end_of_a_dead_wrappers_server_is_seen_and_ends_its_family(harness, wrapper):
    handle = await start_in_a_program_that_dies(harness, wrapper, harness.config(extra_args=["--stub-family"]))
    script = psutil.Process(handle.pid)
    (server,) = script.children()
    await poll(lambda: len(harness.processes()) == 3)
    await dies_unwatched(script)
    async with harness.runner_with(wrapper) as runner:
        (handle,) = await runner.list_running()
        assert handle.pid == server.pid
        server.kill()
        assert (await runner.wait_exit(handle)).stopped_by is StopRung.NONE
        await poll(lambda: not harness.processes())


async def test_what_a_dead_server_left_that_serves_nobody_is_ended(harness, caplog):
    handle = await start_in_a_program_that_dies(harness, harness.stub, harness.config(extra_args=["--stub-family"]))
    server = psutil.Process(handle.pid)
    (helper,) = server.children()
    await dies_unwatched(server)
    stranger = sleeper(harness, OTHER)
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == []
        await poll(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)
        await poll(lambda: not list((harness.data_dir / "servers").iterdir()))
    assert f"left [{helper.pid}]" in caplog.text
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


async def test_a_server_of_another_run_does_not_stand_in_for_a_dead_one(harness, stub_runner, tmp_path):
    handle = await stub_runner.start(harness.config())
    record = json.loads(record_file(harness).read_text())
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "servers").mkdir(parents=True)
    (elsewhere / "servers" / f"{OTHER}.json").write_text(json.dumps(record | {"run": OTHER, "identity": OTHER}))
    async with harness.runner_with(harness.stub, elsewhere) as runner:
        assert await runner.list_running() == []
    assert await stub_runner.list_running() == [handle]


async def test_what_left_the_group_of_a_dead_server_is_not_ours_to_end(harness):
    """Such as a service that an engine's script happened to be the first to start."""
    handle = await start_in_a_program_that_dies(harness, harness.stub, harness.config())
    service = sleeper(harness, record_file(harness).stem)
    await dies_unwatched(psutil.Process(handle.pid))
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == []
    assert list((harness.data_dir / "servers").iterdir()) == []
    assert service.poll() is None
    service.kill()
    service.wait()


async def test_leaving_while_leftovers_end_keeps_their_record(harness):
    handle = await start_in_a_program_that_dies(harness, harness.stub, harness.config(extra_args=["--stub-family"]))
    server = psutil.Process(handle.pid)
    await poll(server.children)
    await dies_unwatched(server)
    # It ignores SIGTERM, so ending it takes longer than the first session.
    assert await reopened(harness) == []
    assert len(harness.processes()) == 1
    assert record_file(harness).exists()
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == []
        await poll(lambda: not harness.processes())
        await poll(lambda: not list((harness.data_dir / "servers").iterdir()))


# -- threads


async def test_supervision_does_not_wait_for_a_dead_network_share(harness, stub_runner):
    pool = ThreadPoolExecutor(4)
    asyncio.get_running_loop().set_default_executor(pool)
    handles = [await stub_runner.start(harness.config(extra_args=["--stub-lines", "3"])) for _ in range(2)]
    dead = threading.Event()
    stuck = [asyncio.ensure_future(asyncio.to_thread(dead.wait)) for _ in range(4)]
    try:
        async with asyncio.timeout(DEADLINE_S):
            name = stub_runner.describe(handles[0]).log_name
            assert b"line 2" in (await stub_runner.read_log(name, 0, 1000)).data
            await stub_runner.stop(handles[0])
            os.kill(handles[1].pid, signal.SIGKILL)
            assert (await stub_runner.wait_exit(handles[1])).signal_number == 9
            assert await stub_runner.list_running() == []
    finally:
        dead.set()
        await asyncio.gather(*stuck)


async def test_a_runner_that_was_left_reads_no_log(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
        name = runner.describe(handle).log_name
    with pytest.raises(RunnerUnavailable, match="closed"):
        await runner.read_log(name, 0, 10)
    with pytest.raises((NotRunning, RunnerUnavailable)):
        await runner.stop(handle)
