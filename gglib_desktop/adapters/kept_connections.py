"""HTTP/1.1 for httpx over connections that are certain to be closed, whenever a question is called off.

httpx's own transport, httpcore 1.0.9, loses connections when a task is cancelled at some of its awaits, and in other
moments their places in its pool: after 100 of these no server would have seemed to answer any more.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import h11
import httpx
from typing_extensions import override

# Servers hang up after 5 s, llama-server among them; a question must not meet that.
_IDLE_S = 4.5
_MOST_BYTES = 16 * 1024 * 1024
_Place = tuple[str, int]


class KeptConnections(httpx.AsyncBaseTransport):
    """Keeps one connection to each server for the next question. Knows no time limit: whoever asks sets one."""

    def __init__(self, *, idle_s: float = _IDLE_S) -> None:
        self._idle_s = idle_s
        self._open: set[_Connection] = set()
        self._idle: dict[_Place, _Connection] = {}
        self._closed = False

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = (request.url.raw_host.decode("ascii"), request.url.port or 80)
        kept = self._take(place)
        if kept is not None:
            try:
                return await self._ask(kept, place, request)
            except httpx.TransportError:
                if kept.has_answered:
                    raise
                # It was closed in this very moment. A fresh one tells what is so.
        return await self._ask(await self._connect(place), place, request)

    @override
    async def aclose(self) -> None:
        """Ends questions under way, too."""
        self._closed = True
        for connection in tuple(self._open):
            connection.close()
        # In the next turn of the loop their sockets are closed.
        await asyncio.sleep(0)

    def _take(self, place: _Place) -> _Connection | None:
        long_ago = time.monotonic() - self._idle_s
        for other, connection in tuple(self._idle.items()):
            if not connection.is_fresh or connection.idle_since < long_ago:
                self._idle.pop(other).close()
        return self._idle.pop(place, None)

    async def _connect(self, place: _Place) -> _Connection:
        try:
            _transport, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._open), *place
            )
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
            # Called off, or broken, it is not fresh.
            if connection.is_fresh and place not in self._idle and not self._closed:
                self._idle[place] = connection
            else:
                connection.close()


class _Connection(asyncio.Protocol):
    """One connection, in ``opened`` as long as it is open. Closing it awaits nothing, so nothing can come between."""

    def __init__(self, opened: set[_Connection]) -> None:
        self._opened = opened
        self._http = h11.Connection(h11.CLIENT)
        self._came = asyncio.Event()
        self.has_answered = False
        self.idle_since = 0.0

    @property
    def is_fresh(self) -> bool:
        """Another question can be asked: it is open, and nothing came that nobody asked for."""
        return self._http.our_state is h11.IDLE and not self._came.is_set() and not self._transport.is_closing()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._http.our_state is h11.IDLE:
            # Nobody asked, so nobody would ever read it.
            self.close()
            return
        self.has_answered = True
        self._http.receive_data(data)
        self._came.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.discard(self)
        self._http.receive_data(b"")
        self._came.set()

    def close(self) -> None:
        self._transport.abort()

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Raises: httpx.TransportError."""
        self.has_answered = False
        try:
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            self._transport.write((self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
            answer, body = await self._answer()
        except h11.LocalProtocolError as exc:
            raise httpx.LocalProtocolError(str(exc)) from exc
        except h11.RemoteProtocolError as exc:
            raise httpx.RemoteProtocolError(str(exc)) from exc
        are_done = self._http.our_state is self._http.their_state is h11.DONE
        if are_done and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
            self._came.clear()
            self.idle_since = time.monotonic()
        headers = dict(answer.headers)
        if b"content-encoding" in headers:
            raise httpx.DecodingError("the answer is compressed, which nobody asked for")
        # httpx reads it although redirects are not followed, and trips over some.
        headers.pop(b"location", None)
        return httpx.Response(answer.status_code, headers=headers, content=body, request=request)

    async def _answer(self) -> tuple[h11.Response, bytes]:
        answer, body = None, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._came.clear()
                await self._came.wait()
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _MOST_BYTES:
                    raise httpx.ReadError(f"the answer is longer than {_MOST_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage) and answer is not None:
                return answer, bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError(f"unexpected: {event!r}")
