"""Asks llama-server for answers that are read while they are made."""

from __future__ import annotations

import asyncio
import os

from gglib_desktop.adapters.http.streamed_answer import HttpError, StreamedAnswer, posted
from gglib_desktop.domain.errors import ChatError, NoAnswer
from gglib_desktop.domain.llama_cpp.chat import CHAT_PATH, AnswerReader, chat_body, refusal
from gglib_desktop.domain.options.host import own_url
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.traffic.chat import Answer, ChatRequest

_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
_OK = 200
# Takes some 1 ms to be written.
_LARGE_TEXT = 2**18
# A refusal is short.
_MOST_WORDS_BYTES = 2**16


class LlamaChats:
    """The answers that are being made. None has a time limit: a long prompt takes minutes, and the user can stop."""

    def __init__(self) -> None:
        self._opened: set[asyncio.WriteTransport] = set()

    def close(self) -> None:
        """Ends all of them."""
        for connection in tuple(self._opened):
            connection.abort()

    async def ask(self, server: ServerAddress, request: ChatRequest) -> Answer:
        """As ``EngineDriver.chat`` says."""
        body = await asyncio.to_thread(chat_body, request) if _is_large(request) else chat_body(request)
        headers = _HEADERS if server.key is None else {**_HEADERS, "Authorization": f"Bearer {server.key}"}
        reader = None
        try:
            async with posted(own_url(server.host, server.port) + CHAT_PATH, body, headers, self._opened) as answer:
                if answer.status != _OK:
                    raise refusal(answer.status, await _words(answer))
                reader = AnswerReader()
                async for data in answer.pieces():
                    for piece in reader.feed(data):
                        yield piece
        except OSError as exc:
            if reader is None:
                raise _no_answer(exc) from exc
        if reader is not None:
            # However the connection ended.
            reader.end()


def _no_answer(error: OSError) -> ChatError:
    """In words of this program: those of libraries say nothing to people, and may contain the key."""
    match error:
        case HttpError():
            return ChatError("the server cannot be asked: it and this program do not understand each other")
        case TimeoutError():
            return ChatError("the server cannot be asked: it takes no connections")
        case ConnectionError():
            return NoAnswer("the server ended, or the connection to it, before it answered")
        case OSError(errno=int(number)) if number > 0:
            return ChatError(f"the server cannot be asked: {os.strerror(number)}")
    return ChatError("the server cannot be asked: no connection to it can be made")


def _is_large(request: ChatRequest) -> bool:
    """Whether making its body would hold up the event loop."""
    messages = request.messages
    return any(each.pictures for each in messages) or sum(len(each.text) for each in messages) > _LARGE_TEXT


async def _words(answer: StreamedAnswer) -> bytes:
    words = b""
    async for data in answer.pieces():
        words += data
        if len(words) > _MOST_WORDS_BYTES:
            break
    return words
