"""The runner of real processes where engines slip away and the system runs out of something."""

import asyncio
import json
import sys
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local import processes
from gglib_desktop.domain.errors import PortTaken, RunnerUnavailable, StartFailed
from tests.contract.harness import STUB, LocalHarness, stop_all
from tests.contract.test_foreign_servers import Elsewhere, elsewhere, found  # noqa: F401
from tests.contract.test_local_runner import (  # noqa: F401
    edit_record,
    end,
    record_file,
    start_in_a_program_that_dies,
    stranger,
)
from tests.contract.test_process_runner import becomes_healthy, occupied
from tests.fakes.waiting import poll


@pytest.fixture
async def harness(local: LocalHarness):
    yield local
    await stop_all(local)


def engine(folder: Path, script: str) -> Path:
    """A shell script that does something before, or instead of, running the stub engine as ``"$@"``."""
    program = folder / "engine"
    stub = f"'{sys.executable}' -I -S '{STUB}'"
    about = f'case "$1" in --help|--version) exec {stub} "$@";; esac'
    program.write_text(f'#!/bin/sh\n{about}\nset -- {stub} "$@"\n{script}\n')
    program.chmod(0o755)
    return program


# -- servers that slip out of the process group of their script


@pytest.fixture
def in_own_session(tmp_path: Path) -> Path:
    """As ``setsid``, and as shells with job control do."""
    call = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], start_new_session=True))"
    return engine(tmp_path, f"'{sys.executable}' -c '{call}' \"$@\"\nexit $?")


@pytest.mark.parametrize("how", ["stop", "kill", "crash"])
@pytest.mark.parametrize("adopted", [False, True])
async def test_a_server_in_a_session_of_its_own_ends_with_its_script(harness, in_own_session, how, adopted):
    if adopted:
        handle = await start_in_a_program_that_dies(harness, in_own_session, harness.config())
    async with harness.runner_with(in_own_session) as runner:
        if not adopted:
            handle = await runner.start(harness.config())
        assert await runner.list_running() == [handle]
        await becomes_healthy(runner, handle)
        if how == "crash":
            await harness.kill_behind_back(handle)
            await runner.wait_exit(handle)
        else:
            await getattr(runner, how)(handle)
        await poll(lambda: not harness.processes())


async def test_a_server_that_leaves_its_script_behind_has_not_started_and_does_not_run(harness, tmp_path):
    call = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
    daemon = engine(tmp_path, f"exec '{sys.executable}' -c '{call}' \"$@\"")
    async with harness.runner_with(daemon) as runner:
        with pytest.raises(StartFailed, match="exit code 0"):
            await runner.start(harness.config())
        # A child of ours, or of the system by now: its reaper may take its time.
        await poll(lambda: all(each.status() == psutil.STATUS_ZOMBIE for each in harness.processes()))
        assert await runner.list_running() == []


async def test_a_cancelled_start_ends_a_server_in_a_session_of_its_own(harness, in_own_session):
    async with harness.runner_with(in_own_session) as runner:
        starting = asyncio.ensure_future(runner.start(harness.config(extra_args=["--stub-mute"])))
        await poll(lambda: len(harness.processes()) == 3)
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled()
        assert harness.traces() == []


# -- ports


@pytest.mark.parametrize("explicit", [False, True])
async def test_a_stolen_port_is_known_when_the_engine_says_nothing(harness, tmp_path, explicit):
    """b10434 may end before it has written to its log why."""
    told, done = tmp_path / "told", tmp_path / "done"
    script = f"[ -e '{done}' ] && exec \"$@\"\nwhile [ ! -e '{told}' ]; do sleep 0.01; done\ntouch '{done}'\nexit 1"
    async with harness.runner_with(engine(tmp_path, script)) as runner:
        config = harness.config()
        if explicit:
            config = config.replace(port=config.base_port)
        starting = asyncio.ensure_future(runner.start(config))
        await poll(harness.processes)
        with occupied(config.base_port):
            told.touch()
            await asyncio.wait({starting})
        if explicit:
            with pytest.raises(PortTaken, match=str(config.base_port)):
                starting.result()
        else:
            assert starting.result().port == config.base_port + 1


# -- what the system lacks


async def test_servers_are_found_again_on_a_full_disk(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    # No user can write here.
    record_file(harness).with_suffix(".tmp").mkdir()
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [handle]
        with pytest.raises(RunnerUnavailable, match="cannot write the record"):
            runner._records.write(next(iter(runner._servers.values())).record)
        await becomes_healthy(runner, handle)
    assert json.loads(record_file(harness).read_text())["pid"] == handle.pid
    record_file(harness).with_suffix(".tmp").rmdir()


async def test_half_a_record_does_not_stay(harness):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
        record = runner._servers[handle].record
        folder = record_file(harness).parent
        # A file cannot take the place of this folder, though half of it can be written beside it.
        (folder / "other.json").mkdir()
        with pytest.raises(RunnerUnavailable, match="cannot write the record"):
            runner._records.write(record.replace(run="other"))
        assert {path.name for path in folder.iterdir()} == {"other.json", f"{record.run}.json"}
        (folder / "other.json").rmdir()


async def test_where_the_run_of_the_system_has_no_name_servers_are_found_again(harness, monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "_BOOT_ID", tmp_path / "nothing")
    processes._boot_id.cache_clear()
    try:
        async with harness.runner_with(harness.stub) as runner:
            handle = await runner.start(harness.config())
        async with harness.runner_with(harness.stub) as runner:
            assert await runner.list_running() == [handle]
        edit_record(harness, identity=":1")
        async with harness.runner_with(harness.stub) as runner:
            (found,) = await runner.list_running()
            assert found.pid == handle.pid, "by its tag and its port"
    finally:
        processes._boot_id.cache_clear()


@pytest.mark.llama
async def test_one_that_was_adopted_is_ours_also_without_a_log_for_it(harness, elsewhere: Elsewhere):  # noqa: F811
    process = elsewhere.start()
    async with harness.runner() as runner:
        server = await found(runner, process.pid)
        (harness.data_dir / "logs").write_text("a file where the folder should be")
        handle = await runner.adopt(server)
        assert await runner.list_running() == [handle]
        await runner.stop(handle)


async def test_signals_go_to_no_group_that_the_server_is_not_in(harness, stranger):  # noqa: F811
    """Such as one that a damaged record names."""
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
    edit_record(harness, group=stranger.pid)
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [handle]
        await runner.stop(handle)
    end(handle)
    assert stranger.poll() is None
