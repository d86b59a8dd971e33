"""Asks servers for answers that are read while they are made."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

from gglib_desktop.adapters.http.streamed_answer import HttpError, StreamedAnswer, posted
from gglib_desktop.domain.errors import ChatError, NoAnswer
from gglib_desktop.domain.openai.chat import AnswerReader, is_large
from gglib_desktop.domain.traffic.chat import Answer, ChatRequest

_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_OK = 200
# A refusal is short.
_MOST_WORDS_BYTES = 2**16


class StreamedChats:
    """The answers that are being made. None has a time limit: a long prompt takes minutes, and the user can stop.

    ``tls`` says how certificates are checked; without it, there is no https.
    """

    def __init__(self, tls: Callable[[], Awaitable[ssl.SSLContext]] | None = None) -> None:
        self._tls = tls
        self._opened: set[asyncio.WriteTransport] = set()

    def close(self) -> None:
        """Ends all of them."""
        for connection in tuple(self._opened):
            connection.abort()

    async def ask(
        self,
        url: str,
        key: str | None,
        request: ChatRequest,
        body_of: Callable[[ChatRequest], bytes],
        reader: AnswerReader,
    ) -> Answer:
        """As ``EngineDriver.chat`` says. ``reader`` is for this answer alone."""
        write = partial(body_of, request)
        body = await asyncio.to_thread(write) if is_large(request) else write()
        headers = _HEADERS if key is None else {**_HEADERS, "Authorization": f"Bearer {key}"}
        tls = await self._tls() if self._tls is not None and url.startswith("https:") else None
        has_begun = False
        try:
            async with posted(url, body, headers, self._opened, tls=tls) as answer:
                if answer.status != _OK:
                    raise reader.refusal(answer.status, await _words(answer))
                has_begun = True
                async for data in answer.pieces():
                    for piece in reader.feed(data):
                        yield piece
        except OSError as exc:
            if not has_begun:
                raise _no_answer(exc) from exc
        # However the connection ended.
        reader.end()


def _no_answer(error: OSError) -> ChatError:
    """In words of this program: those of libraries say nothing to people, and may contain the key."""
    match error:
        case HttpError():
            return ChatError("the server cannot be asked: it and this program do not understand each other")
        case ssl.SSLCertVerificationError(verify_message=str(why)):
            return ChatError(f"the server cannot be asked: its certificate is not trusted: {why}")
        case ssl.SSLError():
            return ChatError("the server cannot be asked: it does not speak https")
        case TimeoutError():
            return ChatError("the server cannot be asked: it takes no connections")
        case ConnectionError():
            return NoAnswer("the server ended, or the connection to it, before it answered")
        case OSError(errno=int(number)) if number > 0:
            return ChatError(f"the server cannot be asked: {os.strerror(number)}")
    return ChatError("the server cannot be asked: no connection to it can be made")


async def _words(answer: StreamedAnswer) -> bytes:
    words = b""
    async for data in answer.pieces():
        words += data
        if len(words) > _MOST_WORDS_BYTES:
            break
    return words
