"""Answers that are read while they are made, over sockets: to their end, stopped, and cut."""

import asyncio
import contextlib
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient
from gglib_desktop.domain.errors import AnswerCut, ChatError, ChatRefused, KeyRefused, NoAnswer, PromptTooLong
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.traffic.chat import AnswerEnd, AnswerText, ChatMessage, ChatRequest, Picture, Role
from tests.fakes.waiting import poll

DRAFTED = (Path(__file__).parents[4] / "fakes/answers/drafted.txt").read_bytes()
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = ChatRequest((ChatMessage(Role.USER, "Hello?"),))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def refusal(status: str, **error: object) -> bytes:
    body = json.dumps({"error": error}).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


class Server:
    """Says ``words`` to everyone. Hangs up afterwards unless it ``holds`` the line; ``resets`` as when killed."""

    def __init__(self) -> None:
        self.words = b""
        self.holds = False
        self.resets = False
        self.asked: list[bytes] = []
        self.open = 0
        self._server: asyncio.Server | None = None

    async def begin(self) -> ServerAddress:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return ServerAddress(self._server.sockets[0].getsockname()[1], key="s3cret")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(ConnectionError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            self.asked.append(head + await reader.readexactly(length))
            writer.write(self.words)
            await writer.drain()
            if self.holds:
                await reader.read()
        self.open -= 1
        if self.resets:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async def end(self) -> None:
        if self._server is not None:
            self._server.close()
        await poll(lambda: not self.open)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    yield server
    await server.end()


@pytest.fixture
async def address(server: Server) -> ServerAddress:
    return await server.begin()


@pytest.fixture
async def client() -> AsyncIterator[LlamaClient]:
    client = LlamaClient()
    yield client
    await client.aclose()


async def said(client: LlamaClient, address: ServerAddress, request: ChatRequest = HELLO) -> str:
    text = ""
    async for piece in client.chats.ask(address, request):
        text += piece.text if isinstance(piece, AnswerText) else "" if not isinstance(piece, AnswerEnd) else "|"
    return text


async def test_an_answer_is_asked_for_with_the_key_and_read_to_its_end(client, server, address):
    server.words = STREAM + b"".join(chunk(line + b"\n") for line in DRAFTED.split(b"\n")) + chunk(b"")
    assert await said(client, address) == "the th|"
    head, _blank, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"Authorization: Bearer s3cret" in head
    assert json.loads(body)["messages"] == [{"role": "user", "content": "Hello?"}]


async def test_pictures_are_sent(client, server, address):
    server.words = STREAM + chunk(DRAFTED) + chunk(b"")
    message = ChatMessage(Role.USER, "What?", (Picture(b"x" * 300_000, "image/png"),))
    assert await said(client, address, ChatRequest((message,))) == "the th|"
    assert len(server.asked[0]) > 400_000


async def test_a_stopped_answer_closes_its_connection(client, server, address):
    server.words, server.holds = STREAM + chunk(DRAFTED[:2600]), True
    answer = client.chats.ask(address, HELLO)
    await anext(answer)
    assert server.open == 1
    await answer.aclose()
    await poll(lambda: not server.open)


async def test_a_question_that_is_called_off_before_any_answer_closes_its_connection(client, server, address):
    server.holds = True
    asking = asyncio.create_task(said(client, address))
    await poll(lambda: server.asked)
    asking.cancel()
    await asyncio.wait({asking})
    await poll(lambda: not server.open)


async def test_closing_the_client_ends_answers(client, server, address):
    server.words, server.holds = STREAM + chunk(DRAFTED[:2600]), True
    answer = client.chats.ask(address, HELLO)
    await anext(answer)
    await client.aclose()
    with pytest.raises(AnswerCut):
        async for _piece in answer:
            pass


@pytest.mark.parametrize(
    "rest", [b"", b"10", chunk(b"data: ["), chunk(b""), b"what?"], ids=["end", "size", "line", "done", "garbage"]
)
async def test_a_server_that_ends_in_mid_answer(client, server, address, rest):
    server.words = STREAM + chunk(DRAFTED[:2600]) + rest
    with pytest.raises(AnswerCut):
        await said(client, address)


async def test_a_server_that_ends_right_after_the_answer(client, server, address):
    server.words = STREAM + chunk(DRAFTED)
    assert await said(client, address) == "the th|"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (refusal("401 Unauthorized", message="Invalid API Key", code=401), KeyRefused),
        (
            refusal(
                "400 Bad Request", message="request (5019 tokens) exceeds the available context size (1024 tokens), …"
            ),
            PromptTooLong,
        ),
        (refusal("307 Temporary Redirect", message="go away"), ChatError),
        (refusal("500 Oh", message="x" * 70_000), ChatError),
        (b"SSH-2.0-OpenSSH\r\n\r\n", ChatError),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\nsize?\r\n", ChatError),
        (b"", NoAnswer),
        (STREAM[:30], NoAnswer),
        (refusal("500 Oh", message="busy")[:-3], NoAnswer),
    ],
    ids=["key", "long", "redirect", "words", "other", "chunk", "silent", "half a head", "half a refusal"],
)
async def test_a_question_that_gets_no_answer(client, server, address, words, kind):
    server.words = words
    with pytest.raises(ChatError) as caught:
        await said(client, address)
    assert type(caught.value) is kind or (kind is ChatError and isinstance(caught.value, ChatRefused))
    assert not isinstance(caught.value, AnswerCut)
    assert_is_said_plainly(caught.value)


def assert_is_said_plainly(error: ChatError) -> None:
    """Without the words of the library that speaks HTTP, of Python, or of what came."""
    told = str(error.__cause__)
    assert isinstance(error, ChatRefused) or not told or told not in str(error)
    assert not re.search(r"role=|state=|Errno|Error\b|illegal|Connect call|SSH|key", str(error))


async def test_a_server_that_is_gone(client, server, address):
    await server.end()
    with pytest.raises(NoAnswer) as caught:
        await said(client, address)
    assert_is_said_plainly(caught.value)


@pytest.mark.parametrize("is_begun", [False, True], ids=["before", "while"])
async def test_a_connection_that_is_reset(client, server, address, is_begun):
    server.resets, server.words = True, STREAM + chunk(DRAFTED[:2600]) if is_begun else b""
    with pytest.raises(AnswerCut if is_begun else NoAnswer) as caught:
        await said(client, address)
    assert_is_said_plainly(caught.value)


@pytest.mark.parametrize("key", ["a\nkey", "Schlüssel-key"], ids=["line", "umlaut"])
async def test_a_key_that_no_header_can_hold(client, server, address, key):
    server.words = STREAM
    with pytest.raises(ChatError, match="cannot be asked") as caught:
        await said(client, ServerAddress(address.port, key=key))
    assert_is_said_plainly(caught.value)
