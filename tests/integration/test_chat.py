"""Chats with a real server: to the end, stopped, refused, and with a server that dies in mid-answer."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from gglib_desktop.adapters.engines.llama_cpp.catalog import LlamaEngineCatalog
from gglib_desktop.adapters.gguf.demo_model import DemoSpec, write_demo_model
from gglib_desktop.adapters.runner.kinds import local_runner
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.errors import AnswerCut, KeyRefused, NoAnswer, PicturesRefused, PromptTooLong
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.snippets import ClientAccess, ClientProgram, snippet
from gglib_desktop.domain.traffic.chat import (
    Answer,
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    AskChat,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    Picture,
    PromptRead,
    Role,
)
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll

pytestmark = pytest.mark.llama

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364f8cf500f00038601"
    "8058f57d6a0000000049454e44ae426082"
)


def question(text: str = "Hello?", *pictures: Picture) -> ChatRequest:
    return ChatRequest((ChatMessage(Role.USER, text, pictures),), system="Be brief.")


@pytest.fixture
async def runner(data_dir, engine_path) -> AsyncIterator[RecordedRunner]:
    catalog = LlamaEngineCatalog(os.environ)
    runner = local_runner(data_dir, lambda: catalog.inspect(engine_path), environment=dict(os.environ))
    async with runner:
        yield runner
        for handle in await runner.list_running():
            await runner.kill(handle)


@pytest.fixture
def served(runner, tiny_model) -> Callable[..., object]:
    async def served(model: Path = tiny_model, **options) -> ProcessHandle:
        given = {"model_id": 1, "model_name": "Tiny", "model_path": model, "threads": 1, "context_size": 2048}
        config = ServerConfig.from_mapping(given | {"base_port": some_base_port()} | options)
        handle: ProcessHandle = await runner.start(config)

        async def is_healthy():
            return (await runner.health(handle)).healthy

        await poll(is_healthy)
        return handle

    return served


def chat(runner: RecordedRunner, handle: ProcessHandle) -> AskChat:
    ask = runner.chat(handle)
    assert ask is not None
    return ask


async def answer(runner: RecordedRunner, handle: ProcessHandle, request: ChatRequest) -> list[ChatPiece]:
    return [piece async for piece in chat(runner, handle)(request)]


async def test_an_answer_with_drafts_comes_in_pieces(runner, served):
    handle = await served(spec_draft_n_max=2, spec_draft_p_min=0.1, inference_config={"max_tokens": 200})
    pieces = await answer(runner, handle, question("x" * 400))
    kinds = [type(piece) for piece in pieces]
    assert kinds[0] is PromptRead
    assert kinds.count(AnswerText) > 5
    figures = [piece for piece in pieces if isinstance(piece, AnswerFigures)]
    assert figures[-1].speed
    assert figures[-1].accepted
    assert isinstance(pieces[-1], AnswerEnd)
    facts = await runner.facts(handle)
    assert facts is not None
    assert (facts.takes_images, facts.page) == (False, "/")


async def begun(runner: RecordedRunner, handle: ProcessHandle) -> Answer:
    answer = chat(runner, handle)(question())
    while not isinstance(await anext(answer), AnswerText):
        pass
    return answer


async def test_a_stopped_answer_frees_its_slot_and_a_dying_server_cuts_one(runner, served, tmp_path):
    # Some 10 ms for each token: it would take 20 s to the end.
    slow = write_demo_model(tmp_path / "slow.gguf", DemoSpec(layers=6, ffn=4096))
    handle = await served(slow, parallel=1, inference_config={"max_tokens": 2000})
    stopped = await begun(runner, handle)
    assert not await is_idle(runner, handle)
    await stopped.aclose()
    await poll(lambda: is_idle(runner, handle))
    cut = await begun(runner, handle)
    waiting = asyncio.ensure_future(anext(chat(runner, handle)(question())))
    await poll(lambda: has_deferred(runner, handle))
    assert handle.pid is not None
    os.kill(handle.pid, signal.SIGKILL)
    with pytest.raises(AnswerCut):
        async for _piece in cut:
            pass
    with pytest.raises(NoAnswer):
        await waiting


async def has_deferred(runner, handle):
    counters = await runner.counters(handle)
    return counters is not None and counters.deferred == 1


async def is_idle(runner, handle):
    return [slot.is_busy for slot in await runner.slots(handle) or ()] == [False]


async def test_what_the_server_refuses(runner, served):
    handle = await served(require_api_key=True)
    with pytest.raises(PromptTooLong) as too_long:
        await answer(runner, handle, question("x" * 9000))
    assert (too_long.value.tokens > 9000, too_long.value.limit) == (True, 2048)
    with pytest.raises(PicturesRefused):
        await answer(runner, handle, question("What is it?", Picture(PIXEL, "image/png")))
    assert await answer(runner, handle, question())
    runner._servers[handle].key = "another"
    with pytest.raises(KeyRefused):
        await answer(runner, handle, question())


# -- snippets for other programs


class OpenAI:
    """Makes the call that OpenAI's package for Python makes, which is no dependency of ours."""

    def __init__(self, *, base_url: str, api_key: str) -> None:
        self.chat = self.completions = self
        self._url, self._key = f"{base_url}/chat/completions", api_key

    def create(self, **body: object) -> object:
        headers = {"Authorization": f"Bearer {self._key}"}
        answer = httpx.post(self._url, json=body, headers=headers, trust_env=False, verify=False, timeout=60)
        message = answer.raise_for_status().json()["choices"][0]["message"]
        return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(**message))])


async def test_snippets_run(runner, served, monkeypatch, capsys):
    name = 'Tiny "it\'s" 模型'
    handle = await served(require_api_key=True, alias=name, inference_config={"max_tokens": 8})
    facts, said = await runner.facts(handle), runner.describe(handle)
    assert facts is not None
    access = ClientAccess(said.endpoint, facts.alias, asks_for_key=facts.wants_key, key=said.api_key)
    assert access.model == name
    monkeypatch.setitem(sys.modules, "openai", SimpleNamespace(OpenAI=OpenAI))
    await asyncio.to_thread(exec, snippet(ClientProgram.OPENAI_PYTHON, access), {})
    assert capsys.readouterr().out.strip()
    if shutil.which("curl") is None:
        return
    curl = snippet(ClientProgram.CURL, access)
    ran = await asyncio.to_thread(subprocess.run, ["sh", "-c", curl], capture_output=True, check=False)
    told = json.loads(ran.stdout)
    assert told["choices"][0]["message"]["content"]
    assert told["model"] == name
