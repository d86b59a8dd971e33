"""A real llama-server that somebody else runs: watched, chatted with, its work told, its sleep left alone."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import cast

import httpx
import pytest

from gglib_desktop.adapters.endpoints.client import HttpEndpointClient
from gglib_desktop.adapters.runner.kinds import asked_engines
from gglib_desktop.domain.documents.settings import EndpointSettings
from gglib_desktop.domain.traffic.chat import AnswerText, ChatMessage, ChatRequest, Role
from gglib_desktop.services.endpoints.endpoints import Endpoints
from gglib_desktop.services.endpoints.snapshot import EndpointChanged, EndpointSnapshot
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.endpoints import FakeKeys
from tests.fakes.ports import some_base_port
from tests.fakes.settings import FakeSettingsStore
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama

KEY = "sk-secret"


@asynccontextmanager
async def served(engine: Path, model: Path, *flags: str) -> AsyncIterator[int]:
    """Without any help of ours, as somebody else would."""
    port = some_base_port()
    words = (str(engine), "-m", str(model), "--alias", "Elsewhere", "--port", str(port), "-t", "1", *flags)
    process = await asyncio.to_thread(
        lambda: subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    )
    try:
        yield port
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


class Bench:
    def __init__(self, scope, client: HttpEndpointClient) -> None:
        self.keys, self.settings = FakeKeys(), SettingsKeeper(FakeSettingsStore())
        self.endpoints = Endpoints(self.settings, self.keys, client, scope)
        self.snapshots: list[EndpointSnapshot] = []
        self.endpoints.subscribe(
            lambda event: self.snapshots.append(event.snapshot) if isinstance(event, EndpointChanged) else None
        )
        self.endpoints.begin()

    async def watch(self, port: int) -> None:
        url = f"http://127.0.0.1:{port}/v1"
        await self.settings.change(endpoints={"it": EndpointSettings(url=url)})

    async def sees(self, condition: Callable[[EndpointSnapshot], object]) -> EndpointSnapshot:
        await poll(lambda: bool(self.snapshots) and condition(self.snapshots[-1]))
        return self.snapshots[-1]


@pytest.fixture
async def bench(scope) -> AsyncIterator[Bench]:
    client = HttpEndpointClient(asked_engines)
    yield Bench(scope, client)
    await client.aclose()


async def test_it_is_watched_and_chatted_with_and_tells_what_it_does(bench, engine_path, plain_model):
    async with served(engine_path, plain_model, "--metrics") as port:
        await bench.watch(port)
        seen = await bench.sees(lambda seen: seen.state.word == "Healthy" and seen.tells_work)
        assert (seen.models, seen.model, seen.facts.slots) == (("Elsewhere",), "Elsewhere", 4)
        assert seen.figures.busy_slots == 0
        ask = bench.endpoints.chat(1)
        request = ChatRequest((ChatMessage(Role.USER, "the weather"),))
        async with aclosing(ask(request)) as answer:
            async for piece in answer:
                if isinstance(piece, AnswerText):
                    break
            seen = await bench.sees(lambda seen: seen.figures.busy_slots)
            assert (seen.figures.busy_slots, seen.state.word) == (1, "Healthy")
        await bench.sees(lambda seen: seen.figures.busy_slots == 0)
    await bench.sees(lambda seen: seen.state.word == "Unreachable")


async def test_a_key_is_wanted_and_shown(bench, engine_path, plain_model):
    async with served(engine_path, plain_model, "--api-key", KEY) as port:
        await bench.watch(port)
        await bench.sees(lambda seen: seen.state.word == "Not authorized")
        bench.keys.kept["it"] = KEY
        await bench.settings.change(endpoints={})
        await bench.watch(port)
        seen = await bench.sees(lambda seen: seen.tells_work)
        assert (seen.state.word, seen.has_key) == ("Healthy", True)


async def test_one_that_sleeps_is_not_woken(bench, engine_path, plain_model):
    async with served(engine_path, plain_model, "--sleep-idle-seconds", "1") as port:
        await bench.watch(port)
        await bench.sees(lambda seen: seen.tells_work)
        async with httpx.AsyncClient(trust_env=False) as http:

            async def sleeps() -> bool:
                return (await http.get(f"http://127.0.0.1:{port}/props")).json()["is_sleeping"] is True

            await poll(cast("Callable[[], bool | Awaitable[bool]]", sleeps))
            bench.endpoints.look(1)
            before = len(bench.snapshots)
            await poll(lambda: len(bench.snapshots) > before)
            assert await sleeps()
            assert bench.snapshots[-1].state.word == "Healthy"
