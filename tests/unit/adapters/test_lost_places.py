"""A place that is lost in the middle of the life of its servers: nothing is said that is not known."""

import asyncio

import pytest

from gglib_desktop.adapters.engines.llama_cpp.simulated import MockTimings
from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from tests.fakes.lost_place import SINCE, WHY, LosableRunner
from tests.fakes.waiting import poll


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and so on")
    return ServerConfig(1, "Tiny", path, 9000)


@pytest.fixture
def new_runner(data_dir):
    def new_runner(**timings):
        return LosableRunner(data_dir, MockTimings(**{"load_s": 0.0, "stop_s": 0.0, "answer_s": 0.0} | timings))

    return new_runner


@pytest.fixture
async def runner(new_runner):
    async with new_runner() as runner:
        yield runner


async def test_meanwhile_nothing_is_known_and_nothing_can_be_done(runner, config):
    handle = await runner.start(config)
    assert await runner.is_running(handle)
    ending = asyncio.ensure_future(runner.wait_exit(handle))
    runner.place.lose()
    for ask in (runner.is_running, runner.stop, runner.kill):
        with pytest.raises(RunnerUnavailable, match=WHY):
            await ask(handle)
    health = await runner.health(handle)
    assert not health.healthy
    assert health.message.startswith("far cannot be reached since ")
    assert health.message.endswith(f": {WHY}")
    assert await runner.probe(handle, 1.0) == Probe(ProbeResult.UNREACHABLE, WHY, SINCE)
    assert await runner.list_running() == [handle]
    assert not ending.done()
    runner.place.come_back()
    assert await runner.is_running(handle)
    assert (await runner.health(handle)).healthy
    await runner.stop(handle)
    assert (await ending).stopped_by is StopRung.SIGTERM


async def test_an_end_is_told_once_the_place_is_back(runner, config):
    handle = await runner.start(config)
    ending = asyncio.ensure_future(runner.wait_exit(handle))
    runner.place.lose()
    runner.place.process(handle.pid).end(3)
    assert await runner.list_running() == [handle]
    assert not ending.done()
    runner.place.come_back()
    assert (await ending).status == 3
    assert not await runner.is_running(handle)
    with pytest.raises(NotRunning):
        await runner.stop(handle)


@pytest.mark.jumping_clock
async def test_a_start_waits_for_its_place_to_come_back(new_runner, config):
    async with new_runner(answer_s=120.0) as runner:
        starting = asyncio.ensure_future(runner.start(config))
        await poll(lambda: runner.place._processes)
        runner.place.lose()
        await asyncio.sleep(100.0)
        runner.place.come_back()
        assert await runner.list_running() == []
        await starting


@pytest.mark.jumping_clock
async def test_a_start_that_is_canceled_meanwhile_is_undone_afterwards(new_runner, config, data_dir):
    async with new_runner(answer_s=60.0) as runner:
        starting = asyncio.ensure_future(runner.start(config))
        (process,) = await poll(runner.place._processes.values)
        runner.place.lose()
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled()
        assert list((data_dir / "servers").iterdir())
        runner.place.come_back()
        await poll(process.poll)
        assert process.exit.stopped_by is StopRung.SIGKILL
        await poll(lambda: not list((data_dir / "servers").iterdir()))


@pytest.mark.jumping_clock
async def test_the_next_program_undoes_it_where_this_one_could_not(new_runner, config, data_dir):
    async with new_runner(answer_s=60.0) as runner:
        starting = asyncio.ensure_future(runner.start(config))
        await poll(lambda: runner.place._processes)
        runner.place.lose()
        starting.cancel()
        await asyncio.wait({starting})
    async with new_runner() as runner:
        assert await runner.list_running() == []
        await poll(lambda: not list((data_dir / "servers").iterdir()))
