"""Asks servers that somebody else runs, which may answer anything."""

from __future__ import annotations

import asyncio
import errno
import functools
import json
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace

import httpx

from gglib_desktop.adapters.http.chats import StreamedChats
from gglib_desktop.adapters.http.kept_connections import LOCATION, AnswerTooLong, ConnectionEnded, KeptConnections
from gglib_desktop.domain.endpoints.address import address_of
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble, look_at
from gglib_desktop.domain.openai.chat import AnswerReader, chat_body
from gglib_desktop.domain.options.host import openai_chats, openai_models
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S
from gglib_desktop.domain.traffic.chat import Answer, ChatRequest
from gglib_desktop.ports.servers.endpoint_client import AskedEngine, Recognized
from gglib_desktop.ports.servers.engine_driver import AskServer, Seen

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
# The longest list of models of a known service has half of it.
_MOST_BYTES = 2**21
# Reading more takes too long for the event loop.
_SHORT_BYTES = 2**15
# Of the time for a question, so that one that takes no connection is told from one that does not answer.
_CONNECTING = 0.9
# OpenAI's servers tell how many tokens they made if they are asked to.
_USAGE = {"include_usage": True}
_LOADING = 503
_MOST_ENDPOINTS = 200

Connections = httpx.AsyncBaseTransport
MakeTls = Callable[[], ssl.SSLContext]


class HttpEndpointClient:
    """One connection to each. ``engines`` makes what asks the known kinds of servers, over the same connections.

    ``make_tls`` says which certificates are trusted: those that httpx trusts by itself. It blocks. One that does not
    answer within ``patience_s`` is silent.
    """

    def __init__(
        self,
        engines: Callable[[Connections, StreamedChats], Sequence[AskedEngine]] = lambda *_connections: (),
        *,
        make_tls: MakeTls = httpx.create_ssl_context,
        patience_s: float = PROBE_TIMEOUT_S,
    ) -> None:
        self._make_tls = make_tls
        self._tls: ssl.SSLContext | None = None
        self._patience_s = patience_s
        self._loading = asyncio.Lock()
        self._chats = StreamedChats(self._trusted)
        self._connections = KeptConnections(
            most_bytes=_MOST_BYTES, connect_s=_CONNECTING * patience_s, tls=self._trusted
        )
        self._engines = engines(self._connections, self._chats)
        # The connections give the very answer of the last time where it is the same.
        self._seen: dict[str, tuple[httpx.Response, EndpointLook]] = {}
        self._closed = False

    async def aclose(self) -> None:
        self._closed = True
        self._chats.close()
        for engine in self._engines:
            await engine.aclose()
        await self._connections.aclose()

    async def look(self, url: str, key: str | None) -> EndpointLook:
        if self._closed:
            return EndpointLook(Trouble.NO_CONNECTION)
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._connections.handle_async_request(_question(url, key))
        except TimeoutError:
            return EndpointLook(Trouble.SILENT)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return _trouble(exc)
        before = self._seen.get(url)
        if before is not None and before[0] is answer:
            return before[1]
        look = await self._read(answer, with_key=key is not None)
        self._seen[url] = answer, look
        return look

    async def _read(self, answer: httpx.Response, *, with_key: bool) -> EndpointLook:
        content = await _json_of(answer)
        if answer.status_code == _LOADING and any(engine.says_loading(content) for engine in self._engines):
            return EndpointLook(Trouble.LOADING)
        look = look_at(
            answer.status_code,
            content,
            kind=answer.headers.get("content-type", ""),
            location=answer.extensions[LOCATION].decode("latin-1"),
            with_key=with_key,
        )
        return replace(look, is_known=not look.trouble and any(engine.lists(content) for engine in self._engines))

    async def recognize(self, url: str, key: str | None, *, is_known: bool) -> Recognized | None:
        address = address_of(url, key)
        for engine in self._engines if not self._closed else ():
            facts = await engine.facts(address, Seen())
            # One that refuses such questions, or answers all with the same, may be of any kind.
            if facts is not None and (is_known or not (facts.refused or facts == ServerFacts())):
                return Recognized(engine, facts)
        return None

    @property
    def chat(self) -> AskServer:
        return self._ask

    def _ask(self, server: ServerAddress, request: ChatRequest) -> Answer:
        return self._chats.ask(openai_chats(server.api), server.key, request, _body, AnswerReader())

    async def _trusted(self) -> ssl.SSLContext:
        """Loading the certificates takes 20 ms and more, so in a thread, and once."""
        async with self._loading:
            if self._tls is None:
                self._tls = await asyncio.to_thread(self._make_tls)
            return self._tls


@functools.lru_cache(maxsize=_MOST_ENDPOINTS)
def _question(url: str, key: str | None) -> httpx.Request:
    """Cached, because it is asked every few seconds and never changes."""
    headers = _HEADERS if key is None else {**_HEADERS, "Authorization": f"Bearer {key}"}
    return httpx.Request("GET", openai_models(url), headers=headers)


def _body(request: ChatRequest) -> bytes:
    return chat_body(request, stream_options=_USAGE)


async def _json_of(answer: httpx.Response) -> object:
    """None where it has none."""
    data = answer.content
    try:
        return await asyncio.to_thread(json.loads, data) if len(data) > _SHORT_BYTES else json.loads(data)
    except (ValueError, RecursionError):
        return None


def _trouble(error: httpx.HTTPError | httpx.InvalidURL) -> EndpointLook:
    """Never with the words of a library about a request: the key might stand there."""
    match error:
        case httpx.ConnectTimeout():
            return EndpointLook(Trouble.NO_CONNECTION, "it takes none in time")
        case httpx.ConnectError():
            return _no_connection(error.__cause__)
        case AnswerTooLong():
            return EndpointLook(Trouble.TOO_LONG)
        case httpx.DecodingError():
            return EndpointLook(Trouble.NO_JSON)
        case ConnectionEnded() | httpx.NetworkError():
            return EndpointLook(Trouble.BROKE)
    return EndpointLook(Trouble.NO_HTTP)


def _no_connection(cause: BaseException | None) -> EndpointLook:
    match cause:
        case ssl.SSLCertVerificationError():
            return EndpointLook(Trouble.CERTIFICATE, cause.verify_message)
        case ssl.SSLError():
            return EndpointLook(Trouble.NO_TLS)
        case socket.gaierror():
            return EndpointLook(Trouble.NO_ADDRESS)
        case ConnectionRefusedError():
            return EndpointLook(Trouble.REFUSED)
        case ConnectionError():
            return EndpointLook(Trouble.BROKE)
        case OSError(strerror=str(words)):
            return EndpointLook(Trouble.NO_CONNECTION, words)
    # asyncio's summary of what became of several addresses has no number of its own.
    refused = f"[Errno {errno.ECONNREFUSED}]" in str(cause)
    return EndpointLook(Trouble.REFUSED if refused else Trouble.NO_CONNECTION)
