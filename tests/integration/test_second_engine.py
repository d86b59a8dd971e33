"""The second engine that really runs here: chosen for one model, beside llama-server."""

import os

import httpx
import pytest

from gglib_desktop.adapters.runner.kinds import DASLLAMA, engine_catalog, local_runner, other_catalogs
from gglib_desktop.domain.errors import ChatRefused, ConfigurationError
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.chat import AnswerEnd, AnswerFigures, AnswerText, ChatMessage, ChatRequest, Role
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes.ports import some_base_port

pytestmark = pytest.mark.llama


@pytest.fixture
async def served(data_dir, engine_path, plain_model, tmp_path):
    """A runner, and the handle of a server of that engine."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "DASLLAMA_NOISY": "1"}
    try:
        await other_catalogs(environment)[DASLLAMA].find(None)
    except ConfigurationError as exc:
        pytest.skip(exc.reason)
    catalog = engine_catalog(environment)
    async with local_runner(data_dir, lambda: catalog.inspect(engine_path), environment=environment) as runner:
        config = ServerConfig(
            7, "Plain", plain_model, some_base_port(), engine=DASLLAMA, context_size=512, parallel=1, threads=1
        )
        handle = await runner.start(config)
        await becomes_healthy(runner, handle)
        yield runner, handle
        await runner.kill(handle)
    assert list(home.iterdir()) == [], "it writes nothing into the home of the user"
    assert list(plain_model.parent.iterdir()) == [plain_model], "nor beside the model"
    assert list((data_dir / "runs").iterdir()) == []


async def test_it_chats_and_tells_what_it_does(served):
    runner, handle = served
    ask = runner.chat(handle)
    pieces = [piece async for piece in ask(ChatRequest((ChatMessage(Role.USER, "Hello"),)))]
    assert any(isinstance(piece, AnswerText) and piece.text for piece in pieces)
    assert AnswerEnd.LIMIT in pieces or AnswerEnd.COMPLETE in pieces
    (figures,) = (piece for piece in pieces if isinstance(piece, AnswerFigures))
    assert figures.speed is None, "it does not tell"
    counters = await runner.counters(handle)
    assert (counters.gen_n, counters.processing, counters.gen_s) == (figures.gen_n, 0, None)
    (slot,) = await runner.slots(handle)
    assert not slot.is_busy
    facts = await runner.facts(handle)
    assert (facts.context_size, facts.slots, facts.alias, facts.gpu_layers) == (512, 1, "Plain", 0)
    assert runner.requests_reader(runner.describe(handle).config, began_at=0.0) is None


async def test_it_says_why_it_refuses(served):
    runner, handle = served
    with pytest.raises(ChatRefused, match="the model context is 512"):
        async for _piece in runner.chat(handle)(ChatRequest((ChatMessage(Role.USER, "Hello " * 900),))):
            pass


async def test_clients_find_it_under_its_name(served):
    runner, handle = served
    async with httpx.AsyncClient(trust_env=False) as client:
        (model,) = (await client.get(f"{runner.endpoint(handle)}/models")).json()["data"]
    known = runner.describe(handle)
    assert (model["id"],) == runner.names_said(known.config, known.command_line) == ("Plain",)
