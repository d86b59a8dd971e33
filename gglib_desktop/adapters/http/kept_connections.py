"""HTTP/1.1 for httpx over connections that are certain to be closed, whenever a question is cancelled.

httpx's own transport, httpcore 1.0.9, loses connections when a task is cancelled at some of its awaits, and at other
moments their places in its pool: after 100 of these every server would have seemed silent.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import h11
import httpx
from typing_extensions import override

# Servers hang up after 5 s, llama-server among them; a question must not meet that.
_IDLE_S = 4.5
_MOST_BYTES = 16 * 1024 * 1024
# The answer to a question that is asked again and again.
_SHORT_BYTES = 1024
# Where an answer keeps the address that it sends to; nothing here follows it.
LOCATION = "location"
_Place = tuple[str, int, bool]


class AnswerTooLong(httpx.ReadError):
    """It has more bytes than are wanted."""


class ConnectionEnded(httpx.RemoteProtocolError):
    """It was closed before the answer was whole."""


class KeptConnections(httpx.AsyncBaseTransport):
    """Keeps one connection to each server for the next question. Has no time limit: callers set one."""

    def __init__(
        self,
        *,
        idle_s: float = _IDLE_S,
        most_bytes: int = _MOST_BYTES,
        connect_s: float | None = None,
        tls: Callable[[], Awaitable[ssl.SSLContext]] | None = None,
    ) -> None:
        """``tls`` says how certificates are checked; without it, there is no https.

        ``connect_s``: a connection that takes longer to be made raises ConnectTimeout.
        """
        self._idle_s = idle_s
        self._most_bytes = most_bytes
        self._connect_s = connect_s
        self._tls = tls
        self._open: set[_Connection] = set()
        self._idle: dict[_Place, _Connection] = {}
        self._swept_at = 0.0
        self._closed = False

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        secure = request.url.scheme == "https"
        place = (request.url.raw_host.decode("ascii"), request.url.port or (443 if secure else 80), secure)
        kept = self._take(place)
        if kept is not None:
            try:
                return await self._ask(kept, place, request)
            except httpx.TransportError:
                if kept.has_answered:
                    raise
                # It was closed at this very moment. A fresh one shows the server's real state.
        return await self._ask(await self._connect(place), place, request)

    @override
    async def aclose(self) -> None:
        """Ends pending questions, too."""
        self._closed = True
        for connection in tuple(self._open):
            connection.close()
        # In the next turn of the loop their sockets are closed.
        await asyncio.sleep(0)

    def _take(self, place: _Place) -> _Connection | None:
        now = time.monotonic()
        if now - self._swept_at >= self._idle_s:
            # Those of servers that are not asked any more; checking all of them for each question would cost as much.
            self._swept_at = now
            for other in [other for other, connection in self._idle.items() if not self._is_usable(connection, now)]:
                self._idle.pop(other).close()
        kept = self._idle.pop(place, None)
        if kept is None or self._is_usable(kept, now):
            return kept
        kept.close()
        return None

    def _is_usable(self, connection: _Connection, now: float) -> bool:
        return connection.is_fresh and connection.idle_since >= now - self._idle_s

    async def _connect(self, place: _Place) -> _Connection:
        host, port, secure = place
        if secure and self._tls is None:
            raise httpx.UnsupportedProtocol("no https here")
        tls = await self._tls() if secure and self._tls is not None else None
        try:
            async with asyncio.timeout(self._connect_s):
                _transport, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self._open, self._most_bytes), host, port, ssl=tls
                )
        except TimeoutError as exc:
            raise httpx.ConnectTimeout("no connection in time") from exc
        except OSError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        if self._closed:
            connection.close()
            raise httpx.ConnectError("the client is closed")
        return connection

    async def _ask(self, connection: _Connection, place: _Place, request: httpx.Request) -> httpx.Response:
        try:
            return await connection.ask(request)
        finally:
            # After a cancelled or failed question it is not fresh.
            if connection.is_fresh and place not in self._idle and not self._closed:
                self._idle[place] = connection
            else:
                connection.close()


@dataclass(frozen=True)
class _Exchange:
    """A question and its whole answer, as transferred over a connection."""

    request: httpx.Request
    words: bytes
    answer: bytes
    response: httpx.Response


class _Connection(asyncio.Protocol):
    """One connection, in ``opened`` as long as it is open. Closing it awaits nothing, so it cannot be interrupted."""

    def __init__(self, opened: set[_Connection], most_bytes: int) -> None:
        self._opened = opened
        self._most_bytes = most_bytes
        self._http = h11.Connection(h11.CLIENT)
        self._came = asyncio.Event()
        self._arrived = bytearray()
        self._read = 0
        self._asks = self._has_ended = False
        self._last: _Exchange | None = None
        self.has_answered = False
        self.idle_since = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether another question can be asked: it is open, and no unexpected bytes have come."""
        return not self._asks and not self._came.is_set() and not self._transport.is_closing()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self)

    @override
    def data_received(self, data: bytes) -> None:
        if not self._asks:
            # Bytes without a question would never be read.
            self.close()
            return
        self.has_answered = True
        self._arrived += data
        self._came.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.discard(self)
        self._came.set()

    def close(self) -> None:
        self._transport.abort()

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Raises: httpx.TransportError."""
        # has_answered stays false if this question is cancelled or fails, and then no other may be asked.
        self._asks, self.has_answered = True, False
        last = self._last
        if last is not None and last.request is request:
            # A server nearly always repeats its last answer about health. Parsing that again costs ten times as much.
            self._transport.write(last.words)
            await self._came.wait()
            if self._arrived == last.answer:
                self._end_exchange()
                return last.response
        try:
            return await self._ask(request, was_sent=last is not None and last.request is request)
        except h11.LocalProtocolError as exc:
            raise httpx.LocalProtocolError(str(exc)) from exc
        except h11.RemoteProtocolError as exc:
            kind = ConnectionEnded if self._has_ended else httpx.RemoteProtocolError
            raise kind(str(exc)) from exc

    async def _ask(self, request: httpx.Request, *, was_sent: bool) -> httpx.Response:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        words = (self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        if not was_sent:
            self._transport.write(words)
        answer, body = await self._answer()
        are_done = self._http.our_state is self._http.their_state is h11.DONE
        is_whole = are_done and not self._http.trailing_data[0]
        headers = dict(answer.headers)
        if b"content-encoding" in headers:
            raise httpx.DecodingError("the answer is compressed although no compression was asked for")
        # httpx reads it although redirects are not followed, and trips over some.
        location = headers.pop(b"location", b"")
        response = httpx.Response(
            answer.status_code, headers=headers, content=body, request=request, extensions={LOCATION: location}
        )
        if is_whole:
            self._http.start_next_cycle()
            short = len(self._arrived) <= _SHORT_BYTES
            self._last = _Exchange(request, words, bytes(self._arrived), response) if short else None
            self._end_exchange()
        return response

    async def _read_on(self) -> None:
        """Gives the parser new bytes, and once the connection is closed and everything is read, the end."""
        while self._read == len(self._arrived) and not self._transport.is_closing():
            self._came.clear()
            await self._came.wait()
        self._has_ended = self._read == len(self._arrived)
        self._http.receive_data(bytes(self._arrived[self._read :]))
        self._read = len(self._arrived)

    def _end_exchange(self) -> None:
        self._arrived.clear()
        self._read = 0
        self._came.clear()
        self._asks = False
        self.idle_since = time.monotonic()

    async def _answer(self) -> tuple[h11.Response, bytes]:
        answer, body = None, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._read_on()
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._most_bytes:
                    raise AnswerTooLong(f"the answer is longer than {self._most_bytes} bytes")
            elif isinstance(event, h11.EndOfMessage) and answer is not None:
                return answer, bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError(f"unexpected: {event!r}")
