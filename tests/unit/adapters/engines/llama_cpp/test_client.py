"""What becomes of the many ways in which a server may or may not answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest
from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from tests.fakes.waiting import poll

Answer = httpx.Response | Exception

PROPS = {
    "default_generation_settings": {"n_ctx": 4096, "params": {}},
    "total_slots": 4,
    "model_path": "/models/tiny.gguf",
    "build_info": "b10434-7e4c0a9",
}


METRICS = """\
llamacpp:prompt_tokens_total 1
llamacpp:prompt_seconds_total 0.5
llamacpp:tokens_predicted_total 2
llamacpp:tokens_predicted_seconds_total 0.25
"""


class Server:
    """Answers by path; everything that was asked is kept."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.get(request.url.path, httpx.Response(404))
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server) -> AsyncIterator[LlamaClient]:
    client = LlamaClient(transport=httpx.MockTransport(server))
    yield client
    await client.aclose()


def json(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=value)


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (json({"status": "ok"}), ProbeResult.OK, ""),
        (json({"error": {"message": "Loading model"}}, 503), ProbeResult.LOADING, "loading"),
        (httpx.Response(503, text="busy"), ProbeResult.LOADING, "loading"),
        (json({"status": "no slot available"}), ProbeResult.FOREIGN, "HTTP 200"),
        (json(["ok"]), ProbeResult.FOREIGN, "HTTP 200"),
        (httpx.Response(200, text="<html>It works!</html>"), ProbeResult.FOREIGN, "HTTP 200"),
        (httpx.Response(404), ProbeResult.FOREIGN, "HTTP 404"),
        (httpx.Response(401), ProbeResult.FOREIGN, "HTTP 401"),
        (httpx.ConnectError("refused"), ProbeResult.REFUSED, "refuses"),
        (httpx.RemoteProtocolError("what?"), ProbeResult.REFUSED, "RemoteProtocolError"),
        (httpx.ReadError("reset"), ProbeResult.REFUSED, "ReadError"),
    ],
)
async def test_a_probe_says_what_came_of_it_and_never_raises(client, server, answer, result, words):
    server.answers["/health"] = answer
    probe = await client.probe(ServerAddress(9000), 0.5)
    assert probe.result is result
    assert words in probe.message
    assert probe == Probe(result) or probe.message


async def test_questions_go_to_the_port_on_this_computer(client, server):
    server.answers |= {"/health": json({"status": "ok"}), "/props": json(PROPS), "/slots": json([])}
    await client.probe(ServerAddress(9123), 0.5)
    await client.facts(ServerAddress(9123))
    await client.slots(ServerAddress(9123))
    await client.counters(ServerAddress(9123))
    assert [str(request.url) for request in server.asked] == [
        f"http://127.0.0.1:9123/{path}" for path in ("health", "props", "slots", "slots", "metrics")
    ]


async def test_the_same_question_about_health_is_made_once(client, server):
    """Asked of every server every few seconds: making it anew each time cost as much as asking."""
    server.answers["/health"] = json({"status": "ok"})
    for host in (None, None, "192.0.2.1", None):
        await client.probe(ServerAddress(9124, host), 0.5)
    first, second, elsewhere, third = server.asked
    assert first is second is third
    assert elsewhere.url.host == "192.0.2.1"
    assert set(first.headers) == {"host", "accept-encoding"}


async def test_facts_are_what_the_server_says(client, server):
    server.answers["/props"] = json(PROPS)
    server.answers["/slots"] = json([{"id": 0, "n_ctx": 4096, "speculative": True}])
    log = "srv load_model: initializing, n_slots = 4, n_ctx_slot = 4096, kv_unified = 'true'"
    said = ServerFacts(4096, 4, "/models/tiny.gguf", "b10434-7e4c0a9", drafts=True)
    assert await client.facts(ServerAddress(9000)) == said
    assert await client.facts(ServerAddress(9000), log) == replace(said, context_shared=True)


@pytest.mark.parametrize(
    ("props", "facts"),
    [
        ({}, ServerFacts()),
        ({"default_generation_settings": None}, ServerFacts()),
        ({"default_generation_settings": [], "total_slots": "four"}, ServerFacts()),
        ({"default_generation_settings": {"n_ctx": 4096.5}, "total_slots": 1}, ServerFacts(slots=1)),
    ],
)
async def test_facts_that_are_not_said_are_not_known(client, server, props, facts):
    server.answers["/props"] = json(props)
    assert await client.facts(ServerAddress(9000)) == facts


async def test_slots_and_counters_are_what_the_server_says(client, server):
    server.answers["/slots"] = json([{"id": 0, "is_processing": True}])
    server.answers["/metrics"] = httpx.Response(200, text=METRICS)
    assert await client.slots(ServerAddress(9000)) == (SlotWork(0, is_busy=True),)
    assert await client.counters(ServerAddress(9000)) == Counters(1, 0.5, 2, 0.25)


@pytest.mark.parametrize(
    ("props", "asked", "told"),
    [
        (json({"is_sleeping": False}), ["/props", "/slots", "/props", "/metrics"], None),
        (json({"is_sleeping": True}), ["/props", "/props"], ()),
        (json({}), ["/props", "/props"], None),
        (httpx.Response(401), ["/props", "/props"], None),
    ],
)
async def test_a_server_that_may_sleep_is_not_woken(client, server, props, asked, told):
    server.answers["/props"] = props
    assert await client.slots(ServerAddress(9000), may_sleep=True) == told
    assert await client.counters(ServerAddress(9000), may_sleep=True) is None
    assert [request.url.path for request in server.asked] == asked


async def test_the_facts_of_one_that_sleeps_do_not_wake_it(client, server):
    server.answers["/props"] = json({**PROPS, "is_sleeping": True})
    facts = await client.facts(ServerAddress(9000))
    assert facts is not None
    assert (facts.slots, facts.may_sleep) == (4, True)
    assert [request.url.path for request in server.asked] == ["/props"]


class SlowServer(httpx.AsyncBaseTransport):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked: list[str] = []
        self.waiting = self.most_waiting = 0

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self.may_answer.wait()
        self.waiting -= 1
        return httpx.Response(200, json=[])


async def test_a_server_that_computes_has_one_question_at_a_time():
    slow = SlowServer()
    client = LlamaClient(transport=slow)
    questions = [asyncio.create_task(client.slots(ServerAddress(9000))) for _ in range(3)]
    elsewhere = asyncio.create_task(client.slots(ServerAddress(9001)))
    await poll(lambda: slow.waiting == 2)
    slow.may_answer.set()
    assert await asyncio.gather(*questions, elsewhere) == [()] * 4
    assert (slow.most_waiting, len(slow.asked)) == (2, 4)
    await client.aclose()


@pytest.mark.jumping_clock
async def test_a_late_answer_is_none_and_questions_do_not_pile_up():
    slow = SlowServer()
    client = LlamaClient(transport=slow)
    began_at = asyncio.get_running_loop().time()
    answers = await asyncio.gather(client.slots(ServerAddress(9000)), client.counters(ServerAddress(9000)))
    assert set(answers) == {None}
    assert slow.asked == ["/slots"]
    assert asyncio.get_running_loop().time() - began_at == pytest.approx(2, abs=0.1)
    await client.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403),
        httpx.Response(200, text="{"),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.ConnectError("refused"),
        httpx.ReadError("broken"),
    ],
)
@pytest.mark.parametrize("question", [LlamaClient.facts, LlamaClient.slots, LlamaClient.counters])
async def test_without_a_usable_answer_nothing_is_known(client, server, answer, question: Callable):  # type: ignore[type-arg]
    server.answers |= {"/props": answer, "/slots": answer, "/metrics": answer}
    assert await question(client, ServerAddress(9000)) is None


@pytest.fixture
async def dripping_port() -> AsyncIterator[int]:
    """A server that answers drop by drop and never ends."""

    hung_up = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await hung_up.wait()


async def test_an_answer_that_never_ends_is_none(dripping_port):
    client = LlamaClient()
    assert (await client.probe(ServerAddress(dripping_port), 0.2)).result is ProbeResult.TIMEOUT
    await client.aclose()


async def test_yes_is_no_number(client, server):
    server.answers["/props"] = json({"total_slots": True, "default_generation_settings": {"n_ctx": True}})
    facts = await client.facts(ServerAddress(9000))
    assert facts is not None
    assert (facts.slots, facts.context_size) == (None, None)


# -- keys


class KeyedServer(Server):
    """Refuses who shows another key than its own."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        is_open = request.url.path == "/health" or request.headers.get("Authorization") == "Bearer right"
        return answer if is_open else httpx.Response(401)


@pytest.fixture
async def keyed() -> AsyncIterator[tuple[LlamaClient, KeyedServer]]:
    server = KeyedServer()
    server.answers = {"/health": json({"status": "ok"}), "/props": json(PROPS), "/slots": json([{}])}
    client = LlamaClient(transport=httpx.MockTransport(server))
    yield client, server
    await client.aclose()


async def test_that_a_key_is_wanted_is_seen_and_not_believed(keyed, client, server):
    asking, _ = keyed
    facts = await asking.facts(ServerAddress(9000, key="right"))
    assert facts == ServerFacts(4096, 4, "/models/tiny.gguf", "b10434-7e4c0a9", wants_key=True)
    server.answers["/props"] = json(PROPS)
    open_to_all = await client.facts(ServerAddress(9000, key="right"))
    assert open_to_all is not None
    assert not open_to_all.wants_key, "whatever key we have, it answers without"
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_who_is_refused_knows_that_and_nothing_else(keyed, key):
    asking, _ = keyed
    address = ServerAddress(9000, key=key)
    assert await asking.facts(address) == ServerFacts(wants_key=True, refused=True)
    assert await asking.slots(address) is None
    assert (await asking.probe(address, 1)).result is ProbeResult.OK


async def test_slots_are_asked_with_the_key_and_health_without(keyed):
    asking, server = keyed
    address = ServerAddress(9000, key="right")
    assert await asking.slots(address) == ()
    await asking.probe(address, 1)
    assert [request.headers.get("Authorization") for request in server.asked] == ["Bearer right", None]


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:9000"), ("::", "http://[::1]:9000"), ("pc.lan", "http://pc.lan:9000")],
)
async def test_a_server_is_asked_where_it_listens(client, server, host, url):
    await client.probe(ServerAddress(9000, host), 1)
    assert str(server.asked[0].url) == f"{url}/health"


@pytest.mark.parametrize("steps", range(0, 30, 2))
async def test_closing_ends_every_connection_however_far_a_question_has_come(steps):
    open_connections: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"status":"ok"}')
            await reader.read()
        open_connections.remove(writer)
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1") as network:
        client = LlamaClient()
        question = asyncio.create_task(client.probe(ServerAddress(network.sockets[0].getsockname()[1]), 60))
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.aclose()
        assert (await question).result in {ProbeResult.OK, ProbeResult.REFUSED, ProbeResult.TIMEOUT}
        await poll(lambda: not open_connections)


async def test_a_closed_client_asks_nobody(server):
    client = LlamaClient(transport=httpx.MockTransport(server))
    await client.aclose()
    probe = await client.probe(ServerAddress(9000), 1)
    assert probe.result is ProbeResult.TIMEOUT
    assert not server.asked


async def test_the_names_of_a_model_are_what_clients_are_told(client, server):
    server.answers["/v1/models"] = httpx.Response(200, json={"data": [{"id": "a", "aliases": ["a", "b"]}]})
    assert await client.names(ServerAddress(9000)) == ("a", "b")
