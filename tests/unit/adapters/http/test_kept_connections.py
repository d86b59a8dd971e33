"""Connections are kept for the next question, and lost in no moment in which one may be called off."""

import asyncio
import errno
import gzip
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient
from gglib_desktop.adapters.http.kept_connections import KeptConnections
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.health import ProbeResult
from tests.fakes.waiting import DEADLINE_S, poll

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"status":"ok"}'
# Some 15 on a quiet machine.
LONGEST_QUESTION_TURNS = 500


class Server:
    """Gives the next of its answers, the last one for ever; None: hangs up."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers or [OK])
        self.connections: list[asyncio.StreamWriter] = []
        self.asked = 0
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = ServerAddress(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        while not reader.at_eof():
            try:
                await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.asked += 1
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                break
            writer.write(answer)
            if b"Content-Length" not in answer and b"chunked" not in answer:
                break
        writer.close()

    def end(self) -> None:
        """As a process ends: its connections with it."""
        if self._server is not None:
            self._server.close()
            self._server = None
            for writer in self.connections:
                writer.transport.abort()


def sockets() -> int:
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    return sum(os.path.lexists(link) and os.readlink(link).startswith("socket:") for link in links)  # noqa: PTH115


async def only(count: int) -> None:
    """Returns when no more sockets are open than that many."""
    await poll(lambda: sockets() <= count)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def client() -> AsyncIterator[LlamaClient]:
    client = LlamaClient()
    yield client
    await client.aclose()


@pytest.fixture
async def serve() -> AsyncIterator[object]:
    servers: list[Server] = []

    async def serve(*answers: bytes | None) -> Server:
        servers.append(Server(*answers))
        await servers[-1].begin()
        return servers[-1]

    yield serve
    for server in servers:
        server.end()
    await turns()


async def asked(client: LlamaClient, server: Server) -> ProbeResult:
    return (await client.probe(server.address, DEADLINE_S)).result


# -- called off


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("twice", [None, 0, 1, 2])
async def test_a_question_can_be_called_off_in_any_moment(serve, kept, twice):
    """While connections to servers that ended wait to be closed, which is what the pool of httpcore stumbles over."""
    server = await serve()
    for count in range(LONGEST_QUESTION_TURNS):
        before, client = sockets(), LlamaClient()
        ended = [await serve() for _ in range(3)]
        for one in [*ended, server] if kept else ended:
            assert await asked(client, one) is ProbeResult.OK
        for one in ended:
            one.end()
        question = asyncio.ensure_future(client.probe(server.address, DEADLINE_S))
        await turns(count)
        is_answered = question.done()
        question.cancel()
        if twice is not None:
            await turns(twice)
            question.cancel()
        await asyncio.wait({question})
        assert await asked(client, server) is ProbeResult.OK
        await only(before + 2)  # both ends of the one that is kept
        await client.aclose()
        await only(before)
        if is_answered:
            break
    assert is_answered


async def test_closing_ends_questions_under_way(serve, client):
    silent = await serve(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n")
    question = asyncio.ensure_future(client.probe(silent.address, DEADLINE_S))
    await poll(lambda: silent.asked)
    await client.aclose()
    assert (await question).result is ProbeResult.REFUSED


@pytest.mark.parametrize("count", range(1, 6))
async def test_closing_ends_questions_that_begin(serve, client, count):
    server, before = await serve(), sockets()
    question = asyncio.ensure_future(client.probe(server.address, DEADLINE_S))
    await turns(count)
    await client.aclose()
    await question
    await only(before)


# -- kept


async def test_a_server_is_asked_again_over_the_same_connection(serve, client):
    server = await serve()
    for _ in range(5):
        assert await asked(client, server) is ProbeResult.OK
    assert (server.asked, len(server.connections)) == (5, 1)


async def test_questions_at_the_same_time_have_their_own_and_one_is_kept(serve, client):
    server, before = await serve(), sockets()
    assert set(await asyncio.gather(*(asked(client, server) for _ in range(4)))) == {ProbeResult.OK}
    assert len(server.connections) == 4
    await only(before + 2)


LOADING = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\n\r\nloading"
LONGER = OK.replace(b"15", b"16") + b" "
MORE = OK + b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + b'{"status":"ok"}' + b"\r\n0\r\n\r\n"


async def test_an_answer_in_the_same_words_is_read_once(serve):
    """Asked every few seconds, a server nearly always says the same."""
    server = await serve()
    request = httpx.Request("GET", f"http://127.0.0.1:{server.address.port}/health")
    kept = KeptConnections()
    answers = [await kept.handle_async_request(request) for _ in range(100)]
    await kept.aclose()
    assert len({id(answer) for answer in answers}) == 1
    assert len(server.connections) == 1
    assert server.asked == 100


@pytest.mark.parametrize(
    ("second", "result", "connections"),
    [
        (LOADING, ProbeResult.LOADING, 1),
        (LONGER, ProbeResult.OK, 1),
        (CHUNKED, ProbeResult.OK, 1),
        (MORE, ProbeResult.OK, 2),
        (OK[:-1] + b"?", ProbeResult.FOREIGN, 1),
        (b"nonsense\r\n\r\n", ProbeResult.REFUSED, 2),
        (None, ProbeResult.OK, 2),
    ],
)
async def test_an_answer_in_other_words_is_read_anew(serve, client, second, result, connections):
    server = await serve(OK, OK, second, OK)
    assert await asked(client, server) is ProbeResult.OK
    assert await asked(client, server) is ProbeResult.OK
    assert await asked(client, server) is result
    assert await asked(client, server) is ProbeResult.OK
    assert len(server.connections) == connections


@pytest.mark.parametrize("cut", [1, 20, len(OK) - 1])
async def test_an_answer_in_pieces_is_waited_for(cut):
    """The same words as before, but not all at once; then all at once again."""
    said = asyncio.Event()
    questions = 0

    async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal questions
        while not reader.at_eof():
            try:
                await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            questions += 1
            if questions == 2:
                writer.write(OK[:cut])
                await said.wait()
                writer.write(OK[cut:])
            else:
                writer.write(OK)
        writer.close()

    listening = await asyncio.start_server(in_pieces, "127.0.0.1", 0)
    address = ServerAddress(listening.sockets[0].getsockname()[1])
    client = LlamaClient()
    assert (await client.probe(address, DEADLINE_S)).result is ProbeResult.OK
    second = asyncio.ensure_future(client.probe(address, DEADLINE_S))
    await poll(lambda: questions == 2)
    await turns()
    assert not second.done()
    said.set()
    assert (await second).result is ProbeResult.OK
    assert (await client.probe(address, DEADLINE_S)).result is ProbeResult.OK
    await client.aclose()
    listening.close()
    await turns()


async def test_one_that_was_idle_for_long_is_not_used_again(serve):
    server = await serve()
    async with httpx.AsyncClient(transport=KeptConnections(idle_s=-1)) as client:
        for _ in range(2):
            assert (await client.get(f"http://127.0.0.1:{server.address.port}/")).json() == {"status": "ok"}
    assert len(server.connections) == 2


async def test_a_server_that_hung_up_is_asked_over_a_new_one(serve, client):
    server = await serve(OK, None, OK)
    assert [await asked(client, server) for _ in range(2)] == [ProbeResult.OK] * 2
    assert (server.asked, len(server.connections)) == (3, 2)


async def test_a_server_that_always_hangs_up_is_no_riddle(serve, client):
    server = await serve(OK, None)
    assert [await asked(client, server) for _ in range(2)] == [ProbeResult.OK, ProbeResult.REFUSED]
    assert server.asked == 3


async def test_the_connection_to_one_that_ended_is_closed_without_a_question(serve, client):
    before = sockets()
    server = await serve()
    await asked(client, server)
    server.end()
    await only(before)
    assert await asked(client, server) is ProbeResult.REFUSED


async def test_what_nobody_asked_for_is_no_answer_to_the_next_question(serve, client):
    server = await serve()
    await asked(client, server)
    server.connections[0].write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    await turns()
    assert await asked(client, server) is ProbeResult.OK
    server.answers = [OK + b"HTTP/1.1 200 OK\r\n", OK]
    assert [await asked(client, server) for _ in range(2)] == [ProbeResult.OK] * 2


async def test_a_connection_on_which_something_comes_unasked_is_closed_at_once(serve, client):
    server = await serve()
    await asked(client, server)
    server.connections[0].write(b"x")
    await poll(server.connections[0].transport.is_closing)


async def test_a_name_is_looked_up_as_it_is_written(client, monkeypatch):
    looked_up: list[object] = []

    async def look_up(host: object, *_arguments: object, **_more: object) -> list[object]:
        looked_up.append(host)
        raise OSError("nobody of this name")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    assert (await client.probe(ServerAddress(9000, "xn--strae-oqa"), 5)).result is ProbeResult.REFUSED
    assert looked_up == ["xn--strae-oqa"]


async def test_it_is_said_who_cannot_connect(serve, client, monkeypatch):
    def refuse(**_arguments: object) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    server = await serve()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        ours = await client.probe(server.address, DEADLINE_S)
    server.end()
    theirs = await client.probe(server.address, DEADLINE_S)
    assert (ours.result, theirs.result) == (ProbeResult.REFUSED, ProbeResult.REFUSED)
    assert "Too many open files" in ours.message
    assert theirs.message == "the port refuses connections"


# -- answers


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + OK[-15:] + b"\r\n0\r\n\r\n", ProbeResult.OK),
        (b"HTTP/1.0 200 OK\r\n\r\n" + OK[-15:], ProbeResult.OK),
        (b"HTTP/1.1 102 Processing\r\n\r\n" + OK, ProbeResult.OK),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", ProbeResult.LOADING),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", ProbeResult.REFUSED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ProbeResult.REFUSED),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: other\r\nContent-Length: 0\r\n\r\n", ProbeResult.REFUSED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + bytes(17_000_000), ProbeResult.REFUSED),
        (b"", ProbeResult.REFUSED),
        (b"HTTP/1.1 302 Found\r\nLocation: http://xn--0/\r\nContent-Length: 0\r\n\r\n", ProbeResult.FOREIGN),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 35\r\n\r\n" + gzip.compress(OK[-15:]),
            ProbeResult.REFUSED,
        ),
    ],
)
async def test_any_answer_comes_to_something(serve, client, answer, result):
    server = await serve(answer)
    for _ in range(2):
        assert await asked(client, server) is result


async def test_a_header_that_cannot_be_sent_is_an_answer_to_none(serve, client):
    server = await serve()
    assert await client.slots(ServerAddress(server.address.port, None, "a\nkey")) is None
