"""Servers on the loopback that answer as a test says: well, oddly, or not at all. None looks at a clock."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")
"""A certificate for localhost that signed itself, with its key. Nobody trusts it."""

# How a client begins that wants https.
_TLS = b"\x16"
MODELS = {"object": "list", "data": [{"id": "big"}, {"id": "small"}]}


@dataclass(frozen=True)
class Asked:
    """One question."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def whole(status: str, body: bytes | str | object, *headers: str) -> bytes:
    """A proper answer; anything but text and bytes becomes JSON."""
    if not isinstance(body, bytes | str):
        body, headers = json.dumps(body), ("Content-Type: application/json", *headers)
    data = body.encode() if isinstance(body, str) else body
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def says(answer: bytes) -> Respond:
    """The same bytes to all questions."""

    async def respond(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return respond


def says_by_path(**answers: bytes) -> Respond:
    """By the last part of the path; 404 for any other. The connection stays open."""

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        answer = answers.get(asked.path.rpartition("/")[2], whole("404 Not Found", {"error": "?"}))
        writer.write(answer)
        if b"Connection: close" in answer:
            writer.close()

    return respond


async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Takes the question."""


async def hang_up(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Closes the connection instead of an answer."""
    writer.close()


async def endless(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on until the other end closes the connection."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    with suppress(ConnectionError):
        while True:
            writer.write(b"1," * 2**14)
            await writer.drain()


@dataclass
class OddServer:
    """A running one. ``asked`` are the questions so far; ``respond`` may be changed."""

    respond: Respond
    port: int = 0
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                begin = await reader.readexactly(1)
                if begin == _TLS:
                    writer.write(whole("400 Bad Request", "no https here"))
                    break
                asked = await _question(begin, reader)
                self.asked.append(asked)
                await self.respond(asked, writer)
        writer.close()


async def _question(begin: bytes, reader: asyncio.StreamReader) -> Asked:
    first, *lines = (begin + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, path, _version = first.split(" ")
    headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines)}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def odd_server(respond: Respond, *, secure: bool = False) -> AsyncIterator[OddServer]:
    """``secure``: over https, with a certificate that signed itself."""
    odd = OddServer(respond, scheme="https" if secure else "http")
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(SELF_SIGNED)
    writers: set[asyncio.StreamWriter] = set()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        writers.add(writer)
        await odd.serve(reader, writer)
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    odd.port = server.sockets[0].getsockname()[1]
    try:
        yield odd
    finally:
        server.close()
        for writer in writers:
            if not writer.transport.is_closing():
                writer.transport.abort()
        if serving:
            await asyncio.wait(serving)
