"""What a real llama-server does is shown, and one that sleeps goes on sleeping."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.services.servers.snapshot import ServerUsed
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.live import LiveFigures
from gglib_desktop.services.traffic.news import FiguresChanged
from gglib_desktop.services.traffic.recording import RequestRecorder
from tests.fakes.ports import some_base_port
from tests.fakes.supervision import Story
from tests.fakes.waiting import poll, tasks_done

pytestmark = pytest.mark.llama


@pytest.fixture
async def runner(data_dir, engine_path) -> AsyncIterator[RecordedRunner]:
    environment = dict(os.environ)
    catalog = LlamaEngineCatalog(environment)
    runner = local_runner(
        data_dir, lambda: catalog.inspect(engine_path), environment=environment, stop_grace_s=lambda: 2.0
    )
    async with runner:
        yield runner
        await asyncio.gather(*(runner.kill(handle) for handle in await runner.list_running()))


@pytest.fixture
async def story(runner, bugs) -> AsyncIterator[Story]:
    supervisor = Supervisor(runner, runner, bugs)
    yield Story(supervisor)
    await supervisor.aclose()


@pytest.fixture
async def told(story, runner, scope, bugs, data_dir) -> AsyncIterator[list[ServerFigures]]:
    """The figures of the one server, as they are told."""
    told: list[ServerFigures] = []
    store = SqliteRequestStore(data_dir / "requests.sqlite")
    recorder = RequestRecorder(story.supervisor, store, AppSettings, bugs)
    live = LiveFigures(story.supervisor, runner, scope, recorder.subscribe, store)
    live.subscribe(lambda event: told.append(event.figures) if isinstance(event, FiguresChanged) else None)
    recorder.begin()
    live.begin()
    live.set_focus(1)
    yield told
    await recorder.aclose()
    await store.aclose()


def config_of(model: Path, *extra_args: str, **options: object) -> ServerConfig:
    given = {"model_id": 1, "model_name": "Tiny", "model_path": model, "base_port": some_base_port(), "threads": 1}
    return ServerConfig.from_mapping(given | {"extra_args": extra_args} | options)


async def test_what_a_server_does_is_shown_while_it_does_it(story, told, tiny_model):
    """With drafting, and a client that measures for itself."""
    server_id = story.supervisor.start(config_of(tiny_model, spec_draft_n_max=2))
    await story.reaches(server_id, "Healthy")
    await poll(lambda: told and told[-1].memory and told[-1].busy_slots == 0)
    url = f"http://127.0.0.1:{story.handle(server_id).port}/completion"
    body = {"prompt": "the weather", "n_predict": 600, "ignore_eos": True, "cache_prompt": False, "seed": 1}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        question = asyncio.create_task(http.post(url, json=body))
        await poll(lambda: told[-1].busy_slots == 1)
        assert any(slot.is_busy for slot in told[-1].slots)
        timings = (await question).json()["timings"]
    await poll(lambda: told[-1].busy_slots == 0)
    await poll(lambda: told[-1].drafting and told[-1].drafting.accepted_at)
    figures = told[-1]
    assert figures.prompt == pytest.approx(timings["prompt_per_second"], rel=0.01)
    assert figures.first_token_ms >= timings["prompt_ms"] - 1, "by how much more depends on what else runs"
    assert figures.drafting.accepted == pytest.approx(timings["draft_n_accepted"] / timings["draft_n"])
    assert figures.drafting.gain is None
    assert figures.memory.anonymous < figures.memory.resident
    assert max(each.generation or 0 for each in told) > 0
    await poll(lambda: sum(speed or 0 for speed in told[-1].seconds) == pytest.approx(600))


async def test_a_server_that_sleeps_is_not_woken_while_the_user_looks(story, told, runner, tiny_model):
    server_id = story.supervisor.start(config_of(tiny_model, "--sleep-idle-seconds", "1"))
    await story.reaches(server_id, "Healthy")

    async def lines_with(words: str) -> int:
        chunk = await runner.read_log(story.supervisor.server(server_id).log_name, 0, 2**20)
        return int(chunk.data.decode().count(words))

    def looks() -> int:
        return sum(isinstance(event, ServerUsed) for event in story.events)

    async def sleeps():
        return await lines_with("entering sleeping state") > 0

    await poll(sleeps)
    before = looks()
    # It used the processor to fall asleep, which may look like work.
    await poll(lambda: looks() > before)
    await tasks_done("figures")
    handle = story.handle(server_id)
    assert (await runner.slots(handle), await runner.counters(handle)) == ((), None)
    assert (told[-1].busy_slots, told[-1].generation) == (0, 0)
    url = f"http://127.0.0.1:{handle.port}"
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{url}/props")).json()["is_sleeping"]
    assert await lines_with("exiting sleeping state") == 0
    assert story.supervisor.server(server_id).facts.may_sleep
