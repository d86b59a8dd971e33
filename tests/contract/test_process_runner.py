"""What every runner promises, whatever stands behind it."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from gglib_desktop.api import Runner
from gglib_desktop.domain.errors import (
    ConfigurationError,
    NotRunning,
    PortTaken,
    ResourceExhausted,
    RunnerUnavailable,
    StartFailed,
)
from gglib_desktop.domain.servers.diagnosis import failure_of_error
from gglib_desktop.domain.servers.failures import Failure, FailureCause, StopRung
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from tests.contract.harness import busy_slots
from tests.fakes.waiting import pauses_begun, poll


async def becomes_healthy(runner: Runner, handle: ProcessHandle):
    async def healthy():
        health = await runner.health(handle)
        return health if health.healthy else None

    return await poll(healthy)


async def whole_log(runner: Runner, name: str, *, chunk_bytes: int = 100_000) -> str:
    data, offset = b"", 0
    while (chunk := await runner.read_log(name, offset, chunk_bytes)).data:
        data, offset = data + chunk.data, chunk.next_offset
    return data.decode()


async def log_says(runner: Runner, name: str, words: str) -> None:
    """Returns when they stand in a log; the engine writes its own a little later."""

    async def written():
        return words in await whole_log(runner, name)

    await poll(written)


async def failure_of_start(runner: Runner, config: ServerConfig, says: str = "") -> Failure:
    """Why a server ended while it loaded; it may end so soon that nothing has seen it answer.

    ``says`` is evidence if the engine wrote it. On a busy machine it may end with its last lines unwritten; then it is
    started again.
    """
    diagnose = runner.diagnose_for(config)
    for _attempt in range(5):
        try:
            handle = await runner.start(config)
        except StartFailed as exc:
            failure, name = failure_of_error(exc, diagnose), exc.log_name
        else:
            name = runner.describe(handle).log_name
            end = await runner.wait_exit(handle)
            failure = diagnose(end, (await whole_log(runner, name)).splitlines())
        written = [line for line in (await whole_log(runner, name)).splitlines() if says in line]
        if written:
            assert set(written) & set(failure.evidence)
            break
    return failure


def monitoring(runner: Runner, handle: ProcessHandle) -> tuple[Coroutine[Any, Any, object], ...]:
    """The questions of ServerMonitor."""
    return (
        runner.probe(handle, 10),
        runner.usage(handle),
        runner.memory(handle),
        runner.facts(handle),
        runner.slots(handle),
        runner.counters(handle),
        runner.wait_exit(handle),
        runner.kill(handle),
        runner.read_log("any", 0, 1000),
    )


@contextlib.contextmanager
def occupied(*ports: int) -> Iterator[None]:
    """The ports are taken; by another process if not by us."""
    with ExitStack() as stack:
        for port in ports:
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@contextlib.asynccontextmanager
async def thief(port: int, *, answers: bool = True) -> AsyncIterator[list[bytes]]:
    """Another server on the port, which says that all is well, or nothing at all. Gives what was asked so far."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            if answers:
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 15\r\n\r\n" + b'{"status":"ok"}')
            await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        yield asked


# -- start


async def test_a_started_server_is_alive_and_becomes_healthy(harness, runner):
    before = int(time.time())
    config = harness.config(context_size=2048)

    handle = await runner.start(config)

    assert (handle.model_id, handle.model_name) == (7, "Tiny")
    assert config.base_port <= handle.port <= config.base_port + 99
    assert before <= handle.started_at <= time.time()
    assert await runner.is_running(handle)
    health = await becomes_healthy(runner, handle)
    assert health.context_size == 2048
    assert health.last_check is not None
    assert before <= health.last_check <= time.time()
    assert health.message is None
    assert (await runner.probe(handle, 2)).result is ProbeResult.OK


async def test_a_ready_server_tells_its_facts(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)

    facts = await runner.facts(handle)
    assert facts.context_size == harness.words.context_size
    assert facts.slots == harness.words.slots
    assert facts.model_path == (str(harness.model) if harness.words.tells_all else None)
    assert await busy_slots(runner, handle) == harness.words.idle_slots
    counters = await runner.counters(handle)
    assert (counters is None) == (harness.words.idle_slots is None)
    assert counters is None or not (counters.gen_n or counters.gen_s)
    usage = await runner.usage(handle)
    assert usage.rss_bytes > 2**20
    assert not usage.paused

    async def has_a_log():
        return (await runner.usage(handle)).log_bytes > 0

    await poll(has_a_log)  # elsewhere it is followed, and comes a little later
    assert runner.endpoint(handle) == f"http://127.0.0.1:{handle.port}/v1"
    assert harness.words.listens.format(handle.port) in runner.describe(handle).command_line
    assert harness.model_said() in runner.describe(handle).command_line


async def test_the_configuration_comes_back_as_it_was_given(harness, runner):
    config = harness.config(context_size=1024, **harness.words.options)
    handle = await runner.start(config)
    assert runner.describe(handle).config == config
    assert harness.words.options_said in runner.describe(handle).command_line


async def test_five_starts_at_once_get_five_ports_of_the_window(harness, runner):
    config = harness.config()
    handles = await asyncio.gather(*(runner.start(config) for _ in range(5)))
    ports = {handle.port for handle in handles}
    assert len(ports) == 5
    assert min(ports) >= config.base_port
    assert max(ports) <= config.base_port + 99
    assert len({(handle.pid, handle.run) for handle in handles}) == 5
    await asyncio.gather(*(becomes_healthy(runner, handle) for handle in handles))


async def test_an_early_exit_is_a_failed_start_with_status_and_reason(harness, runner):
    with pytest.raises(StartFailed) as caught:
        await runner.start(harness.failing_config())

    assert caught.value.exit_status == harness.words.failure_status
    assert caught.value.log_lines == (harness.words.fatal,)
    assert caught.value.log_name
    assert harness.words.port_flag in caught.value.command_line
    assert harness.words.fatal in await whole_log(runner, caught.value.log_name)
    assert await runner.list_running() == []


async def test_a_flag_that_a_field_decides_is_refused(harness, runner):
    flag = harness.words.port_flag
    with pytest.raises(ConfigurationError, match=f"{flag} is decided by the field Server port") as caught:
        await runner.start(harness.config(extra_args=[f"{flag}=9999"]))
    assert caught.value.field == "extra_args"
    assert harness.traces() == []


async def test_a_missing_model_is_named(harness, runner, tmp_path):
    with pytest.raises(ConfigurationError, match="there is no such file") as caught:
        await runner.start(harness.config(model_path=tmp_path / "gone.gguf"))
    assert caught.value.field == "model_path"
    assert caught.value.value == str(tmp_path / "gone.gguf")
    assert harness.traces() == []


async def test_a_model_that_cannot_be_looked_at_is_named(harness, runner, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be looked at: File name too long") as caught:
        await runner.start(harness.config(model_path=tmp_path / ("x" * 300)))
    assert caught.value.field == "model_path"


async def test_a_folder_is_no_model(harness, runner, tmp_path):
    with pytest.raises(ConfigurationError, match="this is not a file"):
        await runner.start(harness.config(model_path=tmp_path))


async def test_a_file_that_is_no_model_ends_the_server_while_it_loads(harness, runner, tmp_path):
    path = tmp_path / "letter.gguf"
    path.write_text("Dear reader, I am no model. " * 100)
    failure = await failure_of_start(runner, harness.config(model_path=path), says=harness.words.no_model)
    assert failure.exit is not None
    assert (failure.exit.status, failure.exit.asked_for) == (harness.words.failure_status, False)
    assert failure.cause is FailureCause.MODEL_UNREADABLE
    assert await runner.list_running() == []


@pytest.mark.parametrize("name", [b'-it\'s "a" model\t$HOME \xc3\xbc.gguf', b"caf\xe9.gguf"], ids=["odd", "no text"])
async def test_a_model_file_may_have_any_name(harness, tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    path.hardlink_to(harness.model)
    async with harness.runner() as old:
        handle = await old.start(harness.config(model_path=path))
        await becomes_healthy(old, handle)
    async with harness.runner() as new:
        assert new.describe((await new.list_running())[0]).config.model_path == path


# -- ports


async def test_an_explicit_free_port_is_honoured(harness, runner):
    port = harness.config().base_port + 17
    handle = await runner.start(harness.config(port=port))
    assert handle.port == port


async def test_an_explicit_taken_port_is_refused_and_its_owner_named(harness, runner):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await runner.start(harness.config(port=port))
    assert caught.value.port == port
    assert caught.value.owner is not None
    assert f"pid {os.getpid()}" in caught.value.owner
    assert harness.traces() == []


async def test_a_port_of_our_own_server_is_taken_too(harness, runner):
    first = await runner.start(harness.config())
    with pytest.raises(PortTaken) as caught:
        await runner.start(harness.config(port=first.port))
    assert (f"run {first.run}" if first.pid is None else f"pid {first.pid}") in str(caught.value.owner)
    assert await runner.list_running() == [first]


async def test_two_starts_at_once_on_one_explicit_port_are_one_server(harness, runner):
    config = harness.config(port=harness.config().base_port)
    results = await asyncio.gather(runner.start(config), runner.start(config), return_exceptions=True)
    assert {type(result) for result in results} == {ProcessHandle, PortTaken}


async def test_taken_ports_of_the_window_are_passed_over(harness, runner):
    config = harness.config()
    with occupied(*range(config.base_port, config.base_port + 3)):
        handle = await runner.start(config)
    assert config.base_port + 3 <= handle.port <= config.base_port + 99


async def test_no_port_is_ever_beyond_the_last_one(harness, runner):
    config = harness.config(base_port=65500)
    with occupied(*range(65500, 65535)):
        assert (await runner.start(config)).port == 65535
        with pytest.raises(ResourceExhausted, match="no free port from 65500 to 65535"):
            await runner.start(config)
        assert len(await runner.list_running()) == 1


async def test_a_window_without_a_free_port_is_exhausted(harness, runner):
    config = harness.config()
    with (
        occupied(*range(config.base_port, config.base_port + 100)),
        pytest.raises(ResourceExhausted, match=f"from {config.base_port} to {config.base_port + 99}"),
    ):
        await runner.start(config)
    assert harness.traces() == []


async def test_a_port_is_free_again_after_the_stop(harness, runner):
    config = harness.config(port=harness.config().base_port)
    for _ in range(3):
        handle = await runner.start(config)
        await becomes_healthy(runner, handle)
        await runner.stop(handle)


async def test_a_failed_start_gives_its_port_back(harness, runner):
    port = harness.config().base_port
    with pytest.raises(StartFailed):
        await runner.start(harness.failing_config(port=port))
    assert (await runner.start(harness.config(port=port))).port == port


# -- stop


async def test_after_the_stop_nothing_runs(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)

    await runner.stop(handle)

    assert not harness.is_there(handle)
    assert not await runner.is_running(handle)
    assert await runner.list_running() == []
    with pytest.raises(NotRunning):
        await runner.stop(handle)
    with pytest.raises(NotRunning):
        await runner.health(handle)
    assert (await runner.probe(handle, 2)).result is ProbeResult.REFUSED
    assert await runner.usage(handle) is None
    end = await runner.wait_exit(handle)
    assert (end.status, end.stopped_by) == (harness.words.stopped_status, StopRung.SIGTERM)
    assert [trace for trace in harness.traces() if not trace.endswith(".log")] == [], "only the log stays"


async def test_a_stop_while_loading_works_too(harness, runner):
    handle = await runner.start(harness.config())
    await runner.stop(handle)
    assert not harness.is_there(handle)
    assert (await runner.wait_exit(handle)).asked_for


async def test_two_stops_at_once_are_one(harness, runner):
    handle = await runner.start(harness.config())
    await asyncio.gather(runner.stop(handle), runner.stop(handle))
    assert not harness.is_there(handle)


@pytest.mark.parametrize("after_s", [0, 0.05])
async def test_a_caller_that_goes_away_does_not_leave_a_server_half_stopped(harness, after_s):
    async with harness.stubborn_runner() as runner:
        handle = await runner.start(harness.late_config())
        stopping = asyncio.ensure_future(runner.stop(handle))
        await asyncio.wait({stopping}, timeout=after_s)
        stopping.cancel()
        await asyncio.wait({stopping})
        end = await runner.wait_exit(handle)
        assert end.asked_for
        assert not harness.is_there(handle)


async def test_a_server_that_ends_late_is_gone_when_its_stop_returns(harness):
    """How long that may take is counted in ``test_stop_ladder.py``."""
    async with harness.stubborn_runner() as runner:
        handle = await runner.start(harness.late_config())
        await becomes_healthy(runner, handle)
        await runner.stop(handle)
        assert not harness.is_there(handle)
        assert (await runner.wait_exit(handle)).asked_for


async def test_a_kill_is_at_once_and_quiet(harness, runner):
    handle = await runner.start(harness.config())
    await runner.kill(handle)
    assert not harness.is_there(handle)
    end = await runner.wait_exit(handle)
    assert (end.signal_number, end.stopped_by) == (9, StopRung.SIGKILL)
    await runner.kill(handle)


async def test_stopping_one_leaves_the_other_of_the_same_model(harness, runner):
    config = harness.config()
    first, second = await runner.start(config), await runner.start(config)
    assert (first.pid, first.port) != (second.pid, second.port)

    await runner.stop(first)

    assert await runner.list_running() == [second]
    await becomes_healthy(runner, second)


# -- cancelling


@pytest.mark.parametrize("after_s", [0, 0.001, 0.003, 0.006, 0.009, 0.012, 0.016, 0.020, 0.030])
async def test_a_cancelled_start_leaves_nothing(harness, runner, after_s):
    config = harness.config(port=harness.config().base_port)
    starting = asyncio.ensure_future(runner.start(config))
    await asyncio.wait({starting}, timeout=after_s)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        # The start was quicker; then it is a server like any other.
        await runner.stop(await starting)
        return

    assert await runner.list_running() == []
    assert harness.traces() == []
    handle = await runner.start(config)
    assert handle.port == config.port


async def test_cancelling_five_starts_leaves_nothing(harness, runner):
    config = harness.config()
    starts = [asyncio.ensure_future(runner.start(config)) for _ in range(5)]
    await asyncio.wait(starts, timeout=0.008)
    for start in starts:
        start.cancel()
    for result in await asyncio.gather(*starts, return_exceptions=True):
        if isinstance(result, ProcessHandle):
            await runner.stop(result)
    assert await runner.list_running() == []
    assert (await runner.start(config)).port == config.base_port


# -- ends without an order


async def test_killed_behind_our_back_is_seen_and_reaped(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)
    ending = asyncio.ensure_future(runner.wait_exit(handle))

    await harness.kill_behind_back(handle)
    end = await ending

    assert end.signal_number == 9
    assert not end.asked_for
    assert not await runner.is_running(handle)
    assert await runner.list_running() == []
    assert not harness.is_there(handle)
    assert [trace for trace in harness.traces() if not trace.endswith(".log")] == [], "only the log stays"
    with pytest.raises(NotRunning):
        await runner.health(handle)


async def test_an_exit_comes_as_an_event_and_is_not_looked_for(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)
    with pauses_begun() as pauses:
        ending = asyncio.ensure_future(runner.wait_exit(handle))
        await asyncio.wait({ending}, timeout=0)
        await harness.kill_behind_back(handle)
        await ending
    assert [pause for pause in pauses if 0 < pause < 0.5] == []


async def test_the_log_stays_after_the_end(harness, runner):
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)
    await runner.kill(handle)
    name = runner.describe(handle).log_name
    assert harness.words.loading in await whole_log(runner, name)
    end = await runner.read_log(name, -40, 1000)
    assert len(end.data) == 40
    assert end.skipped == end.next_offset - 40
    assert (await runner.read_log(name, end.next_offset, 1000)).data == b""


async def test_a_log_tells_that_it_has_grown(harness, runner):
    sizes: dict[str, int] = {}
    end = runner.on_log_growth(sizes.update)
    handle = await runner.start(harness.config())
    await becomes_healthy(runner, handle)
    name = runner.describe(handle).log_name
    await runner.kill(handle)
    size = (await runner.read_log(name, -1, 1)).next_offset
    await poll(lambda: sizes.get(name) == size)
    end()


# -- leaving and finding again


async def test_a_new_runner_finds_what_the_old_one_left(harness):
    async with harness.runner() as old:
        config = harness.config(context_size=1024)
        handle = await old.start(config)
        await becomes_healthy(old, handle)
        name = old.describe(handle).log_name
    assert harness.is_there(handle)

    async with harness.runner() as new:
        assert await new.list_running() == [handle]
        assert await new.is_running(handle)
        assert new.describe(handle).config == config
        assert new.describe(handle).log_name == name
        assert harness.words.listens.format(handle.port) in new.describe(handle).command_line
        assert (await becomes_healthy(new, handle)).context_size == 1024
        await log_says(new, name, harness.words.loaded)
        ending = asyncio.ensure_future(new.wait_exit(handle))
        await new.stop(handle)
        assert (await ending).stopped_by is StopRung.SIGTERM
        assert not harness.is_there(handle)
        assert await new.list_running() == []


async def test_leaving_ends_who_waits_and_nothing_begins_any_more(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
        waiting = asyncio.ensure_future(old.wait_exit(handle))
        await asyncio.wait({waiting}, timeout=0)
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    with pytest.raises(RunnerUnavailable, match="the runner is closed"):
        await old.list_running()
    for call in (old.start(harness.config()), *monitoring(old, handle)):
        with pytest.raises(RunnerUnavailable, match="the runner is closed"):
            await call


async def test_any_call_may_be_the_first(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
        await becomes_healthy(old, handle)
        name = old.describe(handle).log_name
    async with harness.runner() as new:
        for tells in (new.describe, new.endpoint, new.chat):
            with pytest.raises(RunnerUnavailable, match="has not looked"):
                tells(handle)
        assert (await new.probe(handle, 10)).result is ProbeResult.OK
        assert new.describe(handle).log_name == name
    async with harness.runner() as new:
        assert await new.usage(handle)
    async with harness.runner() as new:
        assert await new.memory(handle)
    async with harness.runner() as new:
        assert await new.facts(handle)
    async with harness.runner() as new:
        assert await busy_slots(new, handle) == harness.words.idle_slots
    async with harness.runner() as new:
        assert (await new.counters(handle) is None) == (harness.words.idle_slots is None)
    async with harness.runner() as new:
        assert (await new.read_log(name, 0, 1000)).data
        assert new.describe(handle).log_name == name
    async with harness.runner() as new:
        waiting = asyncio.ensure_future(new.wait_exit(handle))
        await asyncio.wait({waiting}, timeout=0)
        assert await new.is_running(handle)
        assert not waiting.done()
    await asyncio.wait({waiting})
    async with harness.runner() as new:
        await new.kill(handle)
        assert not harness.is_there(handle)


@pytest.mark.parametrize("after_s", [0, 0.002, 0.006, 0.010, 0.015, 0.020, 0.030])
async def test_leaving_in_the_middle_of_a_start_loses_no_server(harness, after_s, caplog):
    async with harness.runner() as old:
        starting = asyncio.ensure_future(old.start(harness.config()))
        await asyncio.wait({starting}, timeout=after_s)
    await asyncio.wait({starting})
    result = starting.exception() or starting.result()
    async with harness.runner() as new:
        handles = list(await new.list_running())
    assert handles == ([result] if isinstance(result, ProcessHandle) else [])
    assert isinstance(result, ProcessHandle | RunnerUnavailable)
    assert "the runner is closed" not in caplog.text


async def test_the_end_of_an_adopted_server_is_seen(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
    async with harness.runner() as new:
        await becomes_healthy(new, handle)
        ending = asyncio.ensure_future(new.wait_exit(handle))
        await asyncio.wait({ending}, timeout=0)
        await harness.kill_behind_back(handle)
        end = await ending
        assert not end.asked_for
        assert await new.list_running() == []


async def test_what_ended_in_between_is_not_found(harness):
    async with harness.runner() as old:
        first = await old.start(harness.config())
        second = await old.start(harness.config())
        await old.stop(first)
    async with harness.runner() as new:
        assert await new.list_running() == [second]
        assert not await new.is_running(first)


async def test_the_port_of_a_found_server_is_not_given_again(harness):
    config = harness.config()
    async with harness.runner() as old:
        first = await old.start(config)
    async with harness.runner() as new:
        second = await new.start(config)
        assert second.port != first.port
        assert (second.pid, second.run) != (first.pid, first.run)


async def test_servers_are_listed_in_the_order_of_their_starts(harness, runner):
    config = harness.config()
    handles = [await runner.start(config) for _ in range(3)]
    assert list(await runner.list_running()) == handles


async def test_a_handle_travels_as_json(harness, runner):
    handle = await runner.start(harness.config())
    copy = ProcessHandle.from_json(handle.to_json())
    assert await runner.is_running(copy)
    await becomes_healthy(runner, copy)
    await runner.stop(copy)
    assert not await runner.is_running(handle)


async def test_the_handle_of_an_ended_server_means_nothing_to_another_runner(harness, tmp_path):
    async with harness.runner() as one:
        handle = await one.start(harness.config())
        await one.stop(handle)
    async with harness.runner(tmp_path / "elsewhere") as other:
        assert not await other.is_running(handle)
        with pytest.raises(NotRunning):
            await other.stop(handle)
        assert (await other.wait_exit(handle)).status is None
        with pytest.raises(NotRunning):
            other.describe(handle)


@pytest.mark.parametrize("changes", [{"port": 1}, {"started_at": 1}, {"pid": 4_999_999}])
async def test_a_server_is_known_by_pid_start_and_port_together(harness, runner, changes):
    handle = await runner.start(harness.config())
    stranger = handle.replace(**changes)
    assert not await runner.is_running(stranger)
    with pytest.raises(NotRunning):
        await runner.stop(stranger)
    assert await runner.is_running(handle)


# -- one runner at a time


async def test_a_second_runner_over_the_same_data_is_told_who_has_it(harness, runner):
    handle = await runner.start(harness.config())
    async with harness.runner() as second:
        for call in (
            second.list_running(),
            second.start(harness.config()),
            second.stop(handle),
            second.is_running(handle),
            second.health(handle),
            *monitoring(second, handle),
        ):
            with pytest.raises(RunnerUnavailable, match=f"in use by process {os.getpid()}"):
                await call
    assert await runner.is_running(handle)


async def test_the_next_runner_may_work_when_the_first_has_left(harness):
    async with harness.runner() as second:
        async with harness.runner() as first:
            handle = await first.start(harness.config())
            with pytest.raises(RunnerUnavailable):
                await second.list_running()
        assert await second.list_running() == [handle]


async def test_a_runner_that_was_never_used_holds_nothing(harness):
    async with harness.runner(), harness.runner() as second:
        assert await second.list_running() == []


async def test_a_cancelled_first_use_can_be_repeated(harness):
    async with harness.runner() as old:
        handle = await old.start(harness.config())
    async with harness.runner() as runner:
        opening = asyncio.ensure_future(runner.list_running())
        await asyncio.wait({opening}, timeout=0)
        opening.cancel()
        await asyncio.wait({opening})
        assert await runner.list_running() == [handle]


# -- logs


async def test_a_hundred_thousand_lines_lose_nothing(harness):
    async with harness.talkative_runner() as runner:
        handle = await runner.start(harness.talkative_config(100_000))
        await becomes_healthy(runner, handle)
        await log_says(runner, runner.describe(handle).log_name, "line 99999\n")
        lines = (await whole_log(runner, runner.describe(handle).log_name)).splitlines()
    numbers = [int(line.split("line ")[1]) for line in lines if "line " in line]
    assert numbers == list(range(100_000))


async def test_what_a_start_would_refuse_is_known_while_another_server_has_the_place(runner, harness):
    handle, other = await runner.start(harness.config()), await runner.start(harness.config(model_id=8))
    await runner.check(harness.config(port=handle.port), instead_of=handle)
    await runner.check(harness.config(context_size=512), instead_of=handle)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        for refused, error in (
            (harness.config(port=stranger.getsockname()[1]), PortTaken),
            (harness.config(port=other.port), PortTaken),
            (harness.config(extra_args=(f"{harness.words.port_flag}=1",)), ConfigurationError),
            (harness.config(model_path=harness.model.with_name("gone.gguf")), ConfigurationError),
        ):
            with pytest.raises(error):
                await runner.check(refused, instead_of=handle)
    assert set(await runner.list_running()) == {handle, other}
