"""The scenarios of simulated servers, beyond the contract."""

import asyncio
import json

import pytest

from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.api import create_runner
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, PortTaken, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.clock_loop import now, time_passes
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock

QUICK = MockTimings(answer_s=0, load_s=0, stop_s=0, log_every_s=0.05)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


@pytest.fixture
async def runner(data_dir):
    async with MockRunner(data_dir, timings=QUICK) as runner:
        yield runner


@pytest.fixture
def config(model):
    def config(*extra_args, **changes):
        return ServerConfig(1, "Pretend", model, 9000, extra_args=extra_args, **changes)

    return config


async def result(runner, handle):
    return (await runner.probe(handle, 0.01)).result


async def log_of(runner, handle):
    return (await runner.read_log(runner.describe(handle).log_name, 0, 10**7)).data.decode()


async def test_it_loads_as_long_as_it_is_told(runner, config):
    began_at = now()
    handle = await runner.start(config("--mock-load-s=20"))
    assert await result(runner, handle) is ProbeResult.LOADING
    assert await runner.facts(handle) is None
    assert await runner.slots(handle) is None
    health = await runner.health(handle)
    assert (health.healthy, health.message, health.last_check) == (False, "loading the model", None)

    await time_passes(began_at + 19.9 - now())
    assert await result(runner, handle) is ProbeResult.LOADING
    await time_passes(0.2)
    assert await result(runner, handle) is ProbeResult.OK
    await poll(lambda: log_of(runner, handle))
    assert "model loaded" in await log_of(runner, handle)


async def test_without_a_time_to_load_it_is_ready_at_once(runner, config):
    handle = await runner.start(config())
    assert await result(runner, handle) is ProbeResult.OK


async def test_it_fails_to_load_with_the_words_it_is_told(runner, config):
    handle = await runner.start(config("--mock-load-s=20", "--mock-fail-load=ggml: out of memory, sorry"))
    assert await result(runner, handle) is ProbeResult.LOADING
    end = await runner.wait_exit(handle)
    assert (end.status, end.asked_for) == (1, False)
    assert "E ggml: out of memory, sorry\n" in await log_of(runner, handle)
    assert "model loaded" not in await log_of(runner, handle)


async def test_a_failure_to_load_is_never_ready_however_quick(runner, config):
    handle = await runner.start(config("--mock-load-s=0", "--mock-fail-load=no"))
    assert await result(runner, handle) is ProbeResult.LOADING
    assert (await runner.wait_exit(handle)).status == 1
    assert "model loaded" not in await log_of(runner, handle)


async def test_it_crashes_when_it_is_told(runner, config):
    handle = await runner.start(config("--mock-crash-after-s=20"))
    assert await result(runner, handle) is ProbeResult.OK
    end = await runner.wait_exit(handle)
    assert (end.signal_number, end.asked_for) == (11, False)
    assert await runner.list_running() == []


async def test_it_has_nothing_to_say(runner, config):
    handle = await runner.start(config())
    assert runner.chat(handle) is None
    await runner.stop(handle)


async def test_it_freezes_when_it_is_told(runner, config):
    handle = await runner.start(config("--mock-freeze-after-s=20"))
    assert await result(runner, handle) is ProbeResult.OK
    await poll(lambda: result_is_timeout(runner, handle))
    assert (await runner.usage(handle)).paused
    assert await runner.slots(handle) is None
    await runner.stop(handle)


async def result_is_timeout(runner, handle):
    return await result(runner, handle) is ProbeResult.TIMEOUT


async def test_freezing_and_thawing_by_hand(runner, config):
    handle = await runner.start(config())
    runner.freeze(handle)
    probing = asyncio.ensure_future(runner.probe(handle, 60))
    await time_passes(59)
    assert not probing.done()
    runner.crash(handle)
    assert (await probing).result is ProbeResult.REFUSED
    other = await runner.start(config())
    runner.freeze(other)
    assert await result(runner, other) is ProbeResult.TIMEOUT
    runner.thaw(other)
    assert await result(runner, other) is ProbeResult.OK


async def test_it_takes_its_time_to_stop(runner, config):
    handle = await runner.start(config("--mock-stop-s=20"))
    began_at = now()
    await runner.stop(handle)
    assert now() - began_at == pytest.approx(20)


@pytest.mark.parametrize("status", [-9, -6, 0, 3])
async def test_a_crash_has_the_status_it_is_given(runner, config, status):
    handle = await runner.start(config())
    runner.crash(handle, status)
    assert (await runner.wait_exit(handle)).status == status
    for action in (runner.crash, runner.freeze, runner.thaw):
        with pytest.raises(NotRunning):
            action(handle)


@pytest.mark.parametrize(
    "word", ["--threads", "--mock-load-s", "--mock-load-s=soon", "--mock-fun=1", "--load-s=1", "x"]
)
async def test_other_flags_are_refused_as_the_engine_does(runner, config, word):
    with pytest.raises(StartFailed) as caught:
        await runner.start(config(word))
    assert caught.value.exit_status == 1
    assert caught.value.log_lines == (f"error: invalid argument: {word}",)


async def test_pids_grow_over_all_runners_and_are_no_real_ones(data_dir, config):
    pids: list[int] = []
    for _ in range(3):
        async with MockRunner(data_dir, timings=QUICK) as runner:
            pids += [(await runner.start(config())).pid or 0 for _ in range(2)]
            for handle in await runner.list_running():
                await runner.kill(handle)
    assert pids == sorted(set(pids))
    assert pids[0] > 5_000_000


async def test_the_owner_of_a_port_is_named(runner, config):
    port = some_base_port()
    await runner.start(config(port=port))
    with pytest.raises(PortTaken, match="the simulated server of Pretend"):
        await runner.start(config(port=port))


async def test_time_goes_on_while_nobody_looks(data_dir, config):
    async with MockRunner(data_dir, timings=QUICK) as runner:
        crashing = await runner.start(config("--mock-crash-after-s=30"))
        frozen = await runner.start(config("--mock-freeze-after-s=30"))
        lasting = await runner.start(config())
    for record in (data_dir / "servers").iterdir():
        record.write_text(json.dumps(json.loads(record.read_text()) | {"started_at": 1000}))
    async with MockRunner(data_dir, timings=QUICK) as runner:
        handles = await runner.list_running()
        assert [handle.pid for handle in handles] == [frozen.pid, lasting.pid]
        assert crashing.pid not in [handle.pid for handle in handles]
        await poll(lambda: result_is_timeout(runner, handles[0]))
        assert await result(runner, handles[1]) is ProbeResult.OK
        ending = asyncio.ensure_future(runner.wait_exit(handles[1]))
        await runner.stop(handles[1])
        assert (await ending).status is None, "an adopted server's status is known to its parent alone"


async def test_one_left_while_loading_gets_ready_under_the_next_runner(data_dir, config):
    async with MockRunner(data_dir, timings=QUICK) as runner:
        handle = await runner.start(config("--mock-load-s=600"))
    async with MockRunner(data_dir, timings=QUICK) as runner:
        assert await runner.list_running() == [handle]
        assert await result(runner, handle) is ProbeResult.LOADING
        await time_passes(600)
        assert "model loaded" in await log_of(runner, handle)
        assert await result(runner, handle) is ProbeResult.OK


async def test_each_server_has_a_record_of_its_own(data_dir, runner, config):
    await asyncio.gather(*(runner.start(config()) for _ in range(20)))
    saved = [json.loads(file.read_text()) for file in (data_dir / "servers").iterdir()]
    assert len({record["port"] for record in saved}) == 20
    assert {record["place"] for record in saved} == {"mock"}


async def test_a_server_without_a_record_does_not_run(data_dir, runner, config):
    handle = await runner.start(config())
    (data_dir / "servers").rename(data_dir / "away")
    (data_dir / "servers").touch()
    with pytest.raises(RunnerUnavailable, match="cannot write the record"):
        await runner.start(config())
    assert await runner.list_running() == [handle]
    await runner.stop(handle)


async def test_a_log_that_cannot_be_written_stops_nothing(data_dir, runner, config):
    data_dir.mkdir()
    (data_dir / "logs").write_text("a file where the folder should be")
    handle = await runner.start(config())
    assert await result(runner, handle) is ProbeResult.OK


async def test_a_start_does_not_outlive_its_runner(data_dir, config):
    async with MockRunner(data_dir, timings=MockTimings(answer_s=60)) as runner:
        starting = asyncio.ensure_future(runner.start(config()))
        await time_passes(20)
    with pytest.raises(RunnerUnavailable, match="the runner is closed"):
        await starting
    assert not list((data_dir / "servers").iterdir())


async def test_it_says_something_now_and_then(runner, config):
    handle = await runner.start(config())

    async def said():
        return (await log_of(runner, handle)).count("all slots are idle") >= 2

    await poll(said)


async def test_the_program_builds_it(data_dir, config, monkeypatch):
    monkeypatch.setenv("GGLIB_DISABLE_MTP", "1")
    async with create_runner("mock", data_dir=data_dir) as runner:
        handle = await runner.start(config(spec_draft_n_max=2))
        assert "--spec-type" not in runner.describe(handle).command_line
        await runner.kill(handle)
    with pytest.raises(ConfigurationError, match="must be local, mock, "):
        create_runner("cloud", data_dir=data_dir)


async def test_an_adopted_server_with_a_long_log_stays_ready(data_dir, config):
    async with MockRunner(data_dir, timings=MockTimings(0.01, 0.05, 0.01, log_every_s=0.02)) as old:
        handle = await old.start(config())
        log = data_dir / "logs" / f"{old.describe(handle).log_name}.log"
        await poll(lambda: "all slots are idle" in log.read_text())
    with log.open("a") as file:
        file.write("0.00 I srv  update_slots: all slots are idle\n" * 4000)
    async with MockRunner(data_dir, timings=MockTimings(0.01, 60, 0.01)) as new:
        (adopted,) = await new.list_running()
        assert (await new.probe(adopted, 1)).result is ProbeResult.OK
        await new.kill(adopted)


@pytest.mark.parametrize(
    ("command_line", "names"),
    [
        ("/opt/x -m /m/t.gguf --alias coder --verbose", ("coder",)),
        ("x -a 'coder (3)' --port 1", ("coder (3)",)),
        ("x -m y", ()),
        ("", ()),
        ("x 'unclosed", ()),
    ],
)
async def test_it_reads_the_names_in_a_command_line(runner, config, command_line, names):
    assert runner.names_said(config(), command_line) == names


async def test_logs_that_are_not_read_yet_stay_when_old_ones_go(data_dir, config):
    async with MockRunner(data_dir, timings=QUICK) as runner:
        handle = await runner.start(config())
        await runner.kill(handle)
        log = data_dir / "logs" / f"{runner.describe(handle).log_name}.log"
    for number in range(60):
        log.with_name(f"later-{number}.log").write_text("ready\n")

    async def unread():
        return {log.stem}

    async with MockRunner(data_dir, timings=QUICK) as runner:
        runner.spare_unread_logs(unread)
        await runner.list_running()
        assert log.exists()
    async with MockRunner(data_dir, timings=QUICK) as runner:
        await runner.list_running()
        assert not log.exists()


async def test_logs_that_are_not_read_yet_are_not_trimmed(runner, config):
    names = [runner.describe(await runner.start(config())).log_name for _server in range(2)]

    async def unread():
        return names[:1]

    assert list(await runner._growing_logs("mock")) == names
    runner.spare_unread_logs(unread)
    assert list(await runner._growing_logs("mock")) == names[1:]
