"""A real llama-server in router mode: its models, its key, its end, and what becomes of it without this program."""

import asyncio
import os
import signal
from contextlib import aclosing

import httpx
import psutil
import pytest

from gglib_desktop.adapters.gguf.demo_model import DemoSpec, write_demo_model
from gglib_desktop.adapters.runner.kinds import engine_catalog, local_runner
from gglib_desktop.domain.commandline.exports.router_preset import models_preset
from gglib_desktop.domain.errors import ChatRefused, RunnerUnavailable
from gglib_desktop.domain.servers.router.kind import ROUTER
from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.chat import AnswerText, ChatMessage, ChatRequest, Role
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama

HANGS_S = 1
UNLOADED, LOADED, FAILED = RoutedState.UNLOADED, RoutedState.LOADED, RoutedState.FAILED


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Three models: a good one, one that is cut off, and one with room for an answer without end."""
    folder = tmp_path_factory.mktemp("routed")
    tiny, long, broken = (folder / f"{name}.gguf" for name in ("tiny", "long", "broken"))
    write_demo_model(tiny)
    write_demo_model(long, DemoSpec(context=32768))
    broken.write_bytes(tiny.read_bytes()[:100_000])
    commands = [
        ("llama-server", "-m", str(path), "--alias", path.stem.title(), "--threads", "1", *more)
        for path, more in ((tiny, ()), (broken, ()), (long, ("--ignore-eos",)))
    ]
    (folder / "models.ini").write_text(models_preset(commands, stop_s=HANGS_S))
    return folder / "models.ini"


@pytest.fixture
def open_runner(data_dir, engine_path):
    catalog = engine_catalog(os.environ)
    return lambda: local_runner(
        data_dir, lambda: catalog.inspect(engine_path), environment=os.environ, stop_grace_s=lambda: DEADLINE_S
    )


def config(preset, **options):
    return ServerConfig(-1, "Router", preset, some_base_port(), engine=ROUTER, **options)


@pytest.fixture
async def served(open_runner, preset):
    async with open_runner() as runner:
        handle = await runner.start(config(preset, extra_args=("--models-max", "2"), require_api_key=True))
        yield runner, handle
        if await runner.is_running(handle):
            await runner.kill(handle)


async def state_of(runner, handle, name, *wanted):
    """Waits for one of the states, and returns the model with it, and all that was told of it until then."""
    told: list[RoutedModel] = []
    async with asyncio.timeout(DEADLINE_S), aclosing(runner.router(handle).watch()) as changes:
        async for models in changes:
            (model,) = (each for each in models if each.name == name)
            told.append(model)
            if model.state in wanted:
                return told
    raise AssertionError(told)


def question(model):
    return ChatRequest((ChatMessage(Role.USER, "Hello"),), model=model)


async def first_piece(runner, handle, model):
    async with aclosing(runner.chat(handle)(question(model))) as answer:
        async for piece in answer:
            if isinstance(piece, AnswerText) and piece.text:
                return piece.text
    return ""


def children(handle):
    return psutil.Process(handle.pid).children()


async def test_its_models_are_loaded_asked_and_unloaded(served):
    runner, handle = served
    told = await state_of(runner, handle, "Tiny", UNLOADED)
    assert told == [RoutedModel("Tiny")]
    alone = (await runner.usage(handle)).rss_bytes
    router = runner.router(handle)
    loading = asyncio.ensure_future(state_of(runner, handle, "Tiny", LOADED))
    await asyncio.sleep(0)
    await router.load("Tiny")
    *on_the_way, loaded = await loading
    assert {each.state for each in on_the_way} <= {UNLOADED, RoutedState.LOADING}
    assert all(each.progress is None or 0 <= each.progress <= 1 for each in on_the_way)
    assert loaded == RoutedModel("Tiny", LOADED)
    await router.load("Tiny")  # it is, which is no error
    assert await first_piece(runner, handle, "Tiny")
    with pytest.raises(ChatRefused, match="not found"):
        await first_piece(runner, handle, "Nobody")
    # What it uses is what its models use.
    assert (await runner.usage(handle)).rss_bytes > 1.5 * alone
    assert (await runner.memory(handle)).resident > 1.5 * alone
    assert await runner.slots(handle) is await runner.counters(handle) is None
    facts = await runner.facts(handle)
    assert (facts.context_size, facts.slots, facts.alias, facts.wants_key) == (None, None, None, True)
    (child,) = children(handle)
    assert child.pid not in {stranger.pid for stranger in await runner.list_foreign()}
    # It asks for the same key.
    port = next(each.laddr.port for each in child.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
    async with httpx.AsyncClient(trust_env=False) as client:
        for asked in (handle.port, port):
            assert (await client.get(f"http://127.0.0.1:{asked}/props")).status_code == 401
    await router.unload("Tiny")
    assert (await state_of(runner, handle, "Tiny", UNLOADED))[-1] == RoutedModel("Tiny")
    await router.unload("Tiny")


async def test_a_broken_file_and_a_killed_model_have_failed_and_the_rest_goes_on(served):
    runner, handle = served
    await runner.router(handle).load("Broken")
    assert (await state_of(runner, handle, "Broken", FAILED))[-1] == RoutedModel("Broken", FAILED, exit_status=1)
    await runner.router(handle).load("Tiny")
    await state_of(runner, handle, "Tiny", LOADED)
    (child,) = children(handle)
    child.kill()
    assert (await state_of(runner, handle, "Tiny", FAILED))[-1] == RoutedModel("Tiny", FAILED, exit_status=1)
    assert await first_piece(runner, handle, "Tiny"), "a request loads it again"
    with pytest.raises(RunnerUnavailable, match="the router refuses: File Not Found"):
        await runner.router(handle).load("Nobody")


async def test_a_router_that_is_killed_takes_its_models_with_it(served):
    runner, handle = served
    await runner.router(handle).load("Tiny")
    await state_of(runner, handle, "Tiny", LOADED)
    family = children(handle)
    watching = asyncio.ensure_future(state_of(runner, handle, "Tiny", FAILED))
    os.kill(handle.pid, signal.SIGKILL)
    with pytest.raises(RunnerUnavailable, match="does not answer"):
        await watching
    assert (await runner.wait_exit(handle)).signal_number == signal.SIGKILL
    await poll(lambda: not any(map(psutil.Process.is_running, family)))


async def test_it_is_found_again_and_ended_while_a_model_generates_in_its_own_time(open_runner, preset):
    async with open_runner() as first:
        handle = await first.start(config(preset))
    async with open_runner() as runner:
        assert await runner.list_running() == [handle]
        async with aclosing(runner.chat(handle)(question("Long"))) as answer:
            async for _piece in answer:
                break
            family = children(handle)
            await runner.stop(handle)
        end = await runner.wait_exit(handle)
        # Not told twice: b10434 hangs when its end meets a request, and its router ends it.
        assert (end.status, str(end.stopped_by)) == (0, "SIGTERM"), end
        await poll(lambda: not any(map(psutil.Process.is_running, family)))
