"""Asking servers that answer as OpenAI's API says, over a network that is a function."""

import json

import httpx
import pytest

from gglib_desktop.adapters.engines.dasllama.driver import DasllamaDriver
from gglib_desktop.adapters.engines.vllm.driver import VllmDriver
from gglib_desktop.adapters.http.chats import StreamedChats
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.health import ProbeResult
from gglib_desktop.ports.servers.engine_driver import Seen
from tests.unit.domain.dasllama.test_answers import STATS
from tests.unit.domain.vllm.test_vllm import METRICS, MODELS

SERVER = ServerAddress(9000, key="k-1", model="Tiny")
ANSWERS = {
    "/v1/models": json.dumps(MODELS),
    "/version": '{"version": "0.32.0"}',
    "/metrics": METRICS,
    "/v1/stats": json.dumps(STATS),
}


def network(**answers: str | int) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """Answers these, by path without its slash; a number is a status."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        said = answers.get(request.url.path.rpartition("/")[2], ANSWERS.get(request.url.path, 404))
        return httpx.Response(said) if isinstance(said, int) else httpx.Response(200, text=said)

    return httpx.MockTransport(answer), asked


@pytest.mark.parametrize("kind", [VllmDriver, DasllamaDriver])
async def test_a_server_is_ready_when_it_lists_our_model(kind):
    transport, asked = network()
    driver = kind.asking(transport, StreamedChats())
    assert (await driver.probe(SERVER, 2)).result is ProbeResult.OK
    assert asked[0].headers["Authorization"] == "Bearer k-1"
    assert (await driver.probe(ServerAddress(9000, model="Other"), 2)).result is ProbeResult.FOREIGN
    assert await driver.names(SERVER) == ("Tiny",)
    assert not driver.says_loading({})
    assert not driver.may_sleep
    assert driver.lists({"data": [{"owned_by": driver.reader.names_begin}]})
    assert not driver.lists({"data": [{"owned_by": "llamacpp"}]})
    assert driver.chat is not None
    await driver.aclose()
    with pytest.raises(RunnerUnavailable):
        await driver.probe(SERVER, 2)
    with pytest.raises(ConfigurationError):
        await driver.engine()


async def test_vllm_tells_facts_and_counters_and_no_slots():
    transport, _asked = network()
    driver = VllmDriver.asking(transport, StreamedChats())
    facts, counters = await driver.facts(SERVER, Seen()), await driver.counters(SERVER)
    assert facts is not None
    assert counters is not None
    assert (facts.context_size, facts.build) == (2048, "0.32.0")
    assert counters.processing == 3
    await driver.aclose()


async def test_one_that_tells_nothing_is_not_known():
    transport, _asked = network(models=500, metrics=500, stats=500)
    for driver in (VllmDriver.asking(transport, StreamedChats()), DasllamaDriver.asking(transport, StreamedChats())):
        assert await driver.facts(SERVER, Seen()) is None
        assert await driver.counters(SERVER) is None
        assert await driver.slots(SERVER) is None
        assert (await driver.probe(SERVER, 2)).result is ProbeResult.FOREIGN


def test_their_variables_leave_out_what_would_change_them():
    inherited = {"HOME": "/home/me", "VLLM_PORT": "1", "DASLLAMA_IMAGE": "x", "PYTHONPATH": "/x", "PATH": "/bin"}

    async def no_engine():
        raise AssertionError

    vllm, dasllama = VllmDriver(no_engine), DasllamaDriver(no_engine)
    said = vllm.environment(inherited, "secret")
    assert {name: said.get(name) for name in ("VLLM_API_KEY", "VLLM_PORT", "PYTHONPATH", "HF_HUB_OFFLINE")} == {
        "VLLM_API_KEY": "secret",
        "VLLM_PORT": None,
        "PYTHONPATH": None,
        "HF_HUB_OFFLINE": "1",
    }
    assert dasllama.environment(inherited, None) == {
        "HOME": ".",
        "VLLM_PORT": "1",
        "PATH": "/bin",
        "DASLLAMA_IMAGE_SAVE": "0",
    }
