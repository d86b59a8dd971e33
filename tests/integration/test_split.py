"""One model over several computers: here all of them are this one, each with a real worker of its own."""

import asyncio
import os
import signal
from contextlib import aclosing

import psutil
import pytest

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.engines.llama_cpp.worker_driver import WorkerDriver
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.runner.announced_servers import Site
from gglib_desktop.adapters.runner.kinds import LLAMA_CPP, engine_catalog, local_runner
from gglib_desktop.domain.errors import ConfigurationError, StartFailed
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.split.kind import WORKER
from gglib_desktop.domain.servers.split.workers import WorkerState
from gglib_desktop.domain.traffic.chat import AnswerText, ChatMessage, ChatRequest, Role
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama


@pytest.fixture
def open_runner(data_dir, engine_path):
    catalog = engine_catalog(os.environ)

    def opened():
        return local_runner(data_dir, lambda: catalog.inspect(engine_path), environment=os.environ)

    return opened


@pytest.fixture
def add_attic(engine_path, tmp_path):
    """A second place, whose engine may be another program."""
    catalog = engine_catalog(os.environ)

    async def add(runner, engine=engine_path):
        async def find():
            return await catalog.inspect(engine)

        place = LocalPlace(tmp_path / "attic", environment=os.environ, in_thread=asyncio.to_thread)
        await runner.add_place("attic", Site(place, {LLAMA_CPP: LlamaCppDriver(find), WORKER: WorkerDriver(find)}))

    return add


def config(model, *places, **options):
    return ServerConfig(7, "Tiny", model, some_base_port(), threads=1, rpc_workers=places, **options)


def workers_of(runner):
    """The processes that are alive now, by their places."""
    found = {}
    for record in runner._records.records():
        if record.engine == WORKER and record.pid is not None:
            found[record.place] = psutil.Process(record.pid)
    return found


async def answers(runner, handle):
    async with aclosing(runner.chat(handle)(ChatRequest((ChatMessage(Role.USER, "Hello"),)))) as answer:
        async for piece in answer:
            if isinstance(piece, AnswerText):
                return True
    return False


async def test_a_head_serves_with_its_workers_and_ends_with_them(open_runner, add_attic, plain_model):
    async with open_runner() as runner:
        await add_attic(runner)
        handle = await runner.start(config(plain_model, "local", "attic"))
        await becomes_healthy(runner, handle)
        assert await runner.list_running() == [handle], "nobody is told of workers"
        workers = workers_of(runner)
        assert {each.name() for each in workers.values()} == {"ggml-rpc-server"}
        assert set(workers) == {"local", "attic"}
        listening = [each.laddr.ip for worker in workers.values() for each in worker.net_connections("tcp")]
        assert set(listening) == {"127.0.0.1"}, "they have no password"
        workers["attic"].suspend()
        seen = {}

        def attic_is_seen_paused():
            seen.update({each.place: each for each in runner.workers(handle)})
            return seen["attic"].state is WorkerState.PAUSED

        await poll(attic_is_seen_paused)  # a signal stops the threads one after another
        assert seen["local"].state is WorkerState.RUNNING
        assert abs(seen["local"].rss_bytes - workers["local"].memory_info().rss) < 2**24
        workers["attic"].resume()
        assert await answers(runner, handle)
        await runner.stop(handle)
        assert not any(map(psutil.Process.is_running, workers.values()))
        assert [*runner._records.records()] == []


async def test_a_lost_worker_ends_its_head_at_once_and_says_so(open_runner, add_attic, plain_model):
    async with open_runner() as runner:
        await add_attic(runner)
        handle = await runner.start(config(plain_model, "local", "attic"))
        await becomes_healthy(runner, handle)
        workers = workers_of(runner)
        workers["attic"].kill()
        end = await runner.wait_exit(handle)
        assert (end.lost_worker, end.asked_for) == ("attic", False)
        failure = runner.diagnose_for(runner.describe(handle).config)(end, (), served=True)
        assert (failure.cause, failure.exit) == (FailureCause.WORKER_LOST, end)
        await poll(lambda: not workers["local"].is_running())


async def test_a_worker_that_cannot_be_started_leaves_nothing(
    open_runner, add_attic, plain_model, engine_path, tmp_path
):
    lonely = tmp_path / "bin" / "llama-server"
    lonely.parent.mkdir()
    lonely.symlink_to(engine_path)
    async with open_runner() as runner:
        await add_attic(runner, lonely)
        with pytest.raises(StartFailed) as caught:
            await runner.start(config(plain_model, "local", "attic"))
        assert any("there is no ggml-rpc-server beside" in line for line in caught.value.log_lines)
        await poll(lambda: [*runner._records.records()] == [])
        for places, field in (("nowhere",), "rpc_workers"), (("local",), "extra_args"):
            with pytest.raises(ConfigurationError) as refused:
                await runner.start(config(plain_model, *places, extra_args=("--rpc", "127.0.0.1:1")))
            assert refused.value.field == field
        await poll(lambda: [*runner._records.records()] == [])


async def test_the_next_runner_finds_both_and_ends_workers_without_a_head(open_runner, plain_model):
    async with open_runner() as runner:
        handle = await runner.start(config(plain_model, "local"))
        await becomes_healthy(runner, handle)
    async with open_runner() as runner:
        assert await runner.list_running() == [handle]
        (worker,) = workers_of(runner).values()
        assert await answers(runner, handle)
    os.kill(handle.pid, signal.SIGKILL)
    async with open_runner() as runner:
        assert await runner.list_running() == []
        assert [lost.config.model_name for lost in runner.take_lost()] == ["Tiny"]
        await poll(lambda: not worker.is_running())
        await poll(lambda: [*runner._records.records()] == [])


async def test_a_head_whose_worker_went_unseen_is_ended(open_runner, plain_model):
    async with open_runner() as runner:
        handle = await runner.start(config(plain_model, "local"))
        await becomes_healthy(runner, handle)
        (worker,) = workers_of(runner).values()
    worker.kill()
    async with open_runner() as runner:
        await runner.list_running()
        assert (await runner.wait_exit(handle)).lost_worker == "local"
