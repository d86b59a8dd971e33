"""What the runner of real processes promises beyond the contract: engines, families, strangers, stolen ports."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from gglib_desktop.adapters.places.local.processes import argv_hash_of, executable_of, process_identity
from gglib_desktop.domain.documents.settings import SECOND_GRACE_S
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, PortTaken, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.failures import Absence, FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.ports.servers.server_monitor import LostServer
from tests.contract.harness import SHORT_GRACE_S, LocalHarness, stop_all
from tests.contract.test_process_runner import becomes_healthy, failure_of_start, log_says, thief, whole_log
from tests.fakes.dying_program import handle_left_by_one
from tests.fakes.waiting import poll


@pytest.fixture
async def harness(local: LocalHarness):
    yield local
    await stop_all(local)


@pytest.fixture
async def runner(harness: LocalHarness):
    async with harness.runner() as runner:
        yield runner


@pytest.fixture
async def stub_runner(harness: LocalHarness):
    async with harness.runner_with(harness.stub) as runner:
        yield runner


def record_file(harness: LocalHarness) -> Path:
    (file,) = (harness.data_dir / "servers").glob("*.json")
    return file


def end(handle: ProcessHandle) -> None:
    """Kills a server that no runner watches, and reaps it."""
    assert handle.pid is not None
    os.kill(handle.pid, signal.SIGKILL)
    os.waitpid(handle.pid, 0)


@pytest.fixture
def stranger(harness: LocalHarness):
    process = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True, env=harness.environment)
    yield process
    process.kill()
    process.wait()


def edit_record(harness: LocalHarness, **changes: object) -> None:
    file = record_file(harness)
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


# -- engines


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "there is no such file"),
        ("#!/bin/sh\n", 0o644, "not executable"),
        ("#!/bin/sh\necho hello\n", 0o755, "is not llama-server"),
    ],
)
async def test_an_engine_that_cannot_be_used_has_its_own_sentence(harness, tmp_path, content, mode, reason):
    program = tmp_path / "engine"
    if content is not None:
        program.write_text(content)
        program.chmod(mode)
    async with harness.runner_with(program) as runner:
        with pytest.raises(ConfigurationError, match=reason) as caught:
            await runner.start(harness.config())
    assert (caught.value.field, caught.value.value) == ("engine", str(program))
    assert harness.traces() == []


async def test_nothing_of_our_environment_configures_the_engine(harness, stub_runner):
    harness.environment |= {
        "LLAMA_ARG_CTX_SIZE": "1024",
        "LLAMA_API_KEY": "secret",
        "PYTHONPATH": "/nowhere",
        "VIRTUAL_ENV": "/nowhere",
        "GGLIB_INSTANCE": "another",
        "MARK": "kept",
    }
    handle = await stub_runner.start(harness.config(extra_args=["--stub-show-environment"]))
    lines = (await whole_log(stub_runner, stub_runner.describe(handle).log_name)).splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert "MARK" in names
    assert not names & {"LLAMA_ARG_CTX_SIZE", "LLAMA_API_KEY", "PYTHONPATH", "VIRTUAL_ENV"}
    assert f"GGLIB_INSTANCE={stub_runner.describe(handle).log_name}" in lines


@pytest.mark.llama
async def test_an_inherited_context_size_does_not_win(harness):
    harness.environment["LLAMA_ARG_CTX_SIZE"] = "1024"
    async with harness.runner() as runner:
        handle = await runner.start(harness.config())
        assert (await becomes_healthy(runner, handle)).context_size == 8192


@pytest.mark.llama
async def test_a_model_with_layers_drafts(harness, runner, tiny_model):
    handle = await runner.start(harness.config(model_path=tiny_model, spec_draft_n_max=2, spec_draft_p_min=0.75))
    await becomes_healthy(runner, handle)


@pytest.mark.llama
async def test_drafting_without_layers_fails_with_its_own_cause(harness, runner, plain_model):
    config = harness.config(model_path=plain_model, spec_draft_n_max=2, spec_draft_p_min=0.75)
    failure = await failure_of_start(runner, config, says="MTP")
    assert failure.cause is FailureCause.MTP_LAYERS_MISSING


@pytest.mark.llama
async def test_a_paused_server_times_out_and_can_be_stopped(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)
    os.kill(handle.pid, signal.SIGSTOP)

    async def paused():
        return (await runner.usage(handle)).paused

    await poll(paused)
    assert (await runner.probe(handle, 0.2)).result is ProbeResult.TIMEOUT
    await runner.stop(handle)
    assert not harness.is_there(handle)


# -- the stop ladder


async def test_one_that_ignores_sigterm_is_killed_after_both_graces(harness):
    async with harness.stubborn_runner() as runner:
        handle = await runner.start(harness.late_config())
        began_at = time.monotonic()
        await runner.stop(handle)
        assert time.monotonic() - began_at >= SHORT_GRACE_S + SECOND_GRACE_S
        end = await runner.wait_exit(handle)
        assert (end.signal_number, end.stopped_by) == (9, StopRung.SIGKILL)
        assert not harness.is_there(handle)
        assert (await whole_log(runner, runner.describe(handle).log_name)).count("asked to end") == 2


async def test_one_that_hangs_while_it_ends_is_asked_twice(harness, stub_runner):
    handle = await stub_runner.start(harness.config(extra_args=["--stub-hang-on-sigterm"]))
    await stub_runner.stop(handle)
    end = await stub_runner.wait_exit(handle)
    assert (end.status, end.stopped_by) == (1, StopRung.SECOND_SIGTERM)


async def test_several_stop_in_parallel(harness, stub_runner):
    handles = await asyncio.gather(*(stub_runner.start(harness.late_config()) for _ in range(4)))
    stopping = [asyncio.ensure_future(stub_runner.stop(handle)) for handle in handles]
    # All are asked while none has ended: they would not, for a minute.
    for handle in handles:
        await log_says(stub_runner, stub_runner.describe(handle).log_name, "asked to end")
    for handle in handles:
        await harness.kill_behind_back(handle)
    await asyncio.gather(*stopping)


@pytest.mark.parametrize("how", ["stop", "kill", "crash", "adopted"])
async def test_grandchildren_die_with_their_server(harness, how):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config(extra_args=["--stub-family"]))
        await poll(lambda: len(harness.processes()) == 2)
        if how == "stop":
            await runner.stop(handle)
        if how == "kill":
            await runner.kill(handle)
        if how == "crash":
            os.kill(handle.pid, signal.SIGKILL)
            await runner.wait_exit(handle)
    if how == "adopted":
        async with harness.runner_with(harness.stub) as runner:
            await runner.stop(handle)
    await poll(lambda: not harness.processes())


# -- starting


@pytest.mark.parametrize("after_s", [0, 0.01, 0.03, 0.1, 0.3])
async def test_a_cancelled_start_of_one_that_never_answers_leaves_nothing(harness, stub_runner, after_s):
    starting = asyncio.ensure_future(stub_runner.start(harness.config(extra_args=["--stub-mute", "--stub-family"])))
    await asyncio.wait({starting}, timeout=after_s)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await poll(lambda: not harness.traces())


async def test_a_start_that_is_cancelled_twice_leaves_nothing(harness, stub_runner):
    starting = asyncio.ensure_future(stub_runner.start(harness.config(extra_args=["--stub-mute"])))
    await poll(harness.processes)
    starting.cancel()
    await asyncio.wait({starting}, timeout=0)
    starting.cancel()
    await asyncio.wait({starting})
    assert starting.cancelled()
    assert harness.traces() == []


async def test_a_stolen_automatic_port_is_left_to_the_thief(harness, stub_runner, tmp_path):
    config = harness.config(extra_args=["--stub-thief", str(tmp_path / "mark")])
    handle = await stub_runner.start(config)
    assert handle.port == config.base_port + 1
    await becomes_healthy(stub_runner, handle)


async def test_a_stolen_explicit_port_is_refused(harness, stub_runner, tmp_path):
    port = harness.config().base_port
    with pytest.raises(PortTaken) as caught:
        await stub_runner.start(harness.config(port=port, extra_args=["--stub-thief", str(tmp_path / "mark")]))
    assert caught.value.port == port
    assert await stub_runner.list_running() == []


async def test_another_program_on_the_port_does_not_answer_for_ours(harness, stub_runner):
    """A port that is taken between our look and the start: the thief's answer must not pass for the server's."""
    config = harness.config(extra_args=["--stub-mute"])
    starting = asyncio.ensure_future(stub_runner.start(config))
    await poll(harness.processes)
    async with thief(config.base_port) as asked:
        await poll(lambda: len(asked) >= 3)
        assert not starting.done()
    starting.cancel()
    await asyncio.wait({starting})


async def test_an_engine_that_vanished_is_a_sentence(harness, tmp_path):
    async with harness.runner_with(harness.stub) as runner:
        handle = await runner.start(harness.config())
        harness.stub.unlink()
        with pytest.raises(ConfigurationError, match="there is no such file"):
            await runner.start(harness.config())
        assert await runner.list_running() == [handle]


# -- records


async def test_a_process_that_inherited_the_pid_is_left_alone(harness, stranger):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config())
        name = old.describe(handle).log_name
    record = json.loads(record_file(harness).read_text())
    end(handle)
    theirs: dict[str, object] = {
        "pid": stranger.pid,
        "identity": process_identity(stranger.pid),
        "executable": executable_of(stranger.pid),
        "argv_hash": argv_hash_of(stranger.pid),
    }
    edit_record(harness, **(theirs | {"identity": record["identity"]}))
    async with harness.runner_with(harness.stub) as new:
        assert await new.list_running() == []
        with pytest.raises(NotRunning):
            await new.stop(handle.replace(pid=stranger.pid))
        await new.kill(handle.replace(pid=stranger.pid))
        assert await whole_log(new, name) == ""
    assert stranger.poll() is None
    assert list((harness.data_dir / "servers").iterdir()) == []


# -- what ended while no runner watched


async def lost_servers(harness) -> list[LostServer]:
    async with harness.runner_with(harness.stub) as new:
        assert await new.list_running() == []
        lost = list(new.take_lost())
        assert list(new.take_lost()) == [], "each is told once"
    assert list((harness.data_dir / "servers").glob("*.json")) == []
    async with harness.runner_with(harness.stub) as newest:
        assert await newest.list_running() == []
        assert list(newest.take_lost()) == []
    return lost


async def test_a_server_that_ended_meanwhile_is_told_with_its_log(harness):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config(extra_args=["--stub-lines", "3"]))
        name, config, command_line = (
            old.describe(handle).log_name,
            old.describe(handle).config,
            old.describe(handle).command_line,
        )
        assert list(old.take_lost()) == []
    end(handle)
    assert await lost_servers(harness) == [
        LostServer(config, command_line, name, ServerExit(None, absence=Absence.NOT_RUNNING))
    ]
    async with harness.runner_with(harness.stub) as new:
        assert "line 2" in await whole_log(new, name)


async def test_a_server_that_ended_with_the_computer_is_told_as_such(harness):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config())
    end(handle)
    edit_record(harness, identity="00000000-0000-4000-8000-000000000000:4711")
    (lost,) = await lost_servers(harness)
    assert lost.end.absence is Absence.COMPUTER_RESTARTED


async def test_a_server_whose_pid_another_program_has_is_told(harness, stranger):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config())
    end(handle)
    edit_record(harness, pid=stranger.pid, identity=process_identity(stranger.pid))
    (lost,) = await lost_servers(harness)
    assert lost.end.absence is Absence.NOT_RUNNING
    assert stranger.poll() is None


async def test_of_a_start_that_never_came_to_a_process_nothing_is_told(harness):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config())
    end(handle)
    edit_record(harness, pid=None, identity=None, started_at=None, executable=None, argv_hash=None)
    assert await lost_servers(harness) == []


async def test_a_stopped_server_is_not_lost(harness, stub_runner):
    await stub_runner.stop(await stub_runner.start(harness.config()))
    assert list(stub_runner.take_lost()) == []


async def test_a_server_whose_record_was_only_begun_is_found_by_its_tag(harness):
    async with harness.runner_with(harness.stub) as old:
        handle = await old.start(harness.config())
    edit_record(harness, pid=None, identity=None, started_at=None, executable=None, argv_hash=None)
    async with harness.runner_with(harness.stub) as new:
        (found,) = await new.list_running()
        assert (found.pid, found.port) == (handle.pid, handle.port)
        await new.stop(found)
    assert not harness.is_there(handle)


async def test_a_record_that_cannot_be_read_is_set_aside(harness, stub_runner):
    folder = harness.data_dir / "servers"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text("{")
    assert await stub_runner.list_running() == []
    assert [path.name for path in folder.iterdir()] == ["broken.unreadable"]


async def test_a_server_without_a_record_must_not_run(harness, stub_runner):
    assert await stub_runner.list_running() == []
    (harness.data_dir / "servers").write_text("a file where the folder should be")
    with pytest.raises(RunnerUnavailable, match="cannot write the record"):
        await stub_runner.start(harness.config())
    assert harness.processes() == []


async def start_in_a_program_that_dies(harness: LocalHarness, engine: Path, config: ServerConfig) -> ProcessHandle:
    """Another program starts a server and is killed."""
    left = await asyncio.to_thread(handle_left_by_one, harness.data_dir, engine, config, harness.environment)
    return ProcessHandle.from_json(left)


@pytest.mark.llama
async def test_servers_survive_the_death_of_the_program(harness, engine_path):
    handle = await start_in_a_program_that_dies(harness, engine_path, harness.config())
    async with harness.runner() as runner:
        assert await runner.list_running() == [handle]
        await becomes_healthy(runner, handle)
        await log_says(runner, runner.describe(handle).log_name, "model loaded")
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        await runner.stop(handle)
        end = await ending
        # Not our child: how it ended only its parent knows.
        assert (end.status, end.stopped_by) == (None, StopRung.SIGTERM)


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_grandchildren_of_an_adopted_server_die_with_it(harness, how):
    config = harness.config(extra_args=["--stub-family"])
    handle = await start_in_a_program_that_dies(harness, harness.stub, config)
    assert len(harness.processes()) == 2
    async with harness.runner_with(harness.stub) as runner:
        assert await runner.list_running() == [handle]
        await getattr(runner, how)(handle)
        await poll(lambda: not harness.processes())


# -- nothing is used up


async def test_no_descriptors_are_used_up(harness):
    own = psutil.Process()
    counts = []
    for _ in range(3):
        async with harness.runner_with(harness.stub) as runner:
            handle = await runner.start(harness.config())
            await becomes_healthy(runner, handle)
            await runner.stop(handle)
            with contextlib.suppress(StartFailed):
                await runner.start(harness.config(extra_args=["--nope"]))
            handle = await runner.start(harness.config())
        await stop_all(harness)
        counts.append(own.num_fds())
    assert counts[0] == counts[-1]
