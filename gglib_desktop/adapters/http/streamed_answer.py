"""One HTTP/1.1 question whose answer is read while it comes.

Its connection is its own, and closed with the question whenever that ends: a server stops working on an answer as soon
as the connection for it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

import h11

_CONNECT_S = 10.0
_MOST_AT_ONCE = 2**16
_ENDED = "the connection ended"


class HttpError(OSError):
    """What came, or was to be sent, is no HTTP."""


class StreamedAnswer:
    """What comes back. Raises ConnectionError where the connection ends too early, and HttpError."""

    def __init__(self, reader: asyncio.StreamReader, http: h11.Connection) -> None:
        self._reader = reader
        self._http = http
        self._has_ended = False
        self.status = 0

    async def begin(self) -> None:
        """Returns when ``status`` is known; the server may take its time."""
        while not isinstance(event := await self._next(), h11.Response):
            pass
        self.status = event.status_code

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content, as it comes."""
        while not isinstance(event := await self._next(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    async def _next(self) -> h11.Event:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(_MOST_AT_ONCE)
                self._has_ended = not data
                self._http.receive_data(data)
        except h11.RemoteProtocolError as exc:
            if self._has_ended:
                raise ConnectionError(_ENDED) from exc
            raise HttpError(str(exc)) from exc
        if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
            raise ConnectionError(_ENDED)
        return event


@contextlib.asynccontextmanager
async def posted(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    opened: set[asyncio.WriteTransport],
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[StreamedAnswer]:
    """Asks, without proxies and without following anywhere else. The connection is in ``opened`` while it is open.

    ``tls`` checks the certificate of an https address; without it, the question is not encrypted.
    Closing it from there ends the answer. Raises: OSError, and of it HttpError for headers that HTTP does not allow.
    """
    parts = urlsplit(url)
    connecting = asyncio.open_connection(parts.hostname, parts.port or (443 if tls else 80), ssl=tls)
    sent = {"Host": parts.netloc, **headers}
    async with asked(connecting, "POST", parts.path, body, headers=sent, opened=opened) as answer:
        yield answer


@contextlib.asynccontextmanager
async def asked(
    connecting: Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    method: str,
    target: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    opened: set[asyncio.WriteTransport],
) -> AsyncIterator[StreamedAnswer]:
    """As ``posted``, over any connection. ``headers`` name the host."""
    async with asyncio.timeout(_CONNECT_S):
        reader, writer = await connecting
    opened.add(writer.transport)
    try:
        http = h11.Connection(h11.CLIENT)
        sent = {"Content-Length": str(len(body)), "Connection": "close", **headers}
        try:
            head = http.send(h11.Request(method=method, target=target, headers=list(sent.items())))
        except (h11.LocalProtocolError, UnicodeEncodeError) as exc:
            raise HttpError(str(exc)) from exc
        writer.write((head or b"") + (http.send(h11.Data(data=body)) or b""))
        http.send(h11.EndOfMessage())
        answer = StreamedAnswer(reader, http)
        await answer.begin()
        yield answer
    finally:
        opened.discard(writer.transport)
        # Awaits nothing, so it cannot be interrupted.
        writer.transport.abort()
