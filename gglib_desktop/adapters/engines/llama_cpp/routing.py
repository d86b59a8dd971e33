"""Asks llama-server in router mode about its models, and orders it to load and unload them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

from gglib_desktop.adapters.http.streamed_answer import StreamedAnswer, asked, posted
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.llama_cpp.router.models import (
    LOAD_PATH,
    MODELS_PATH,
    NEWS_PATH,
    UNLOAD_PATH,
    NewsReader,
    is_idle_order,
    models_told,
    reason_told,
    with_progress,
)
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.router.models import RoutedModel

_OK = 200
_LIMIT_S = 10.0
_MOST_BYTES = 2**22


class RouterQuestions:
    """Each question has a connection of its own; ``close`` ends those that are open."""

    def __init__(self) -> None:
        self._opened: set[asyncio.WriteTransport] = set()

    def close(self) -> None:
        for connection in tuple(self._opened):
            connection.abort()

    async def watch(self, server: ServerAddress) -> AsyncGenerator[tuple[RoutedModel, ...], None]:
        """As ``ModelRouter.watch``."""
        reader = NewsReader()
        try:
            async with self._asked(server, NEWS_PATH) as news:
                if news.status != _OK:
                    raise _refusal(news.status, await _content(news))
                # From here on no change is missed.
                models = await self._models(server)
                yield models
                async for data in news.pieces():
                    for progress in reader.feed(data):
                        now = await self._models(server) if progress is None else with_progress(models, progress)
                        if now != models:
                            models = now
                            yield models
        except OSError as exc:
            raise _unreachable() from exc
        raise _unreachable()

    async def load(self, server: ServerAddress, model: str) -> None:
        await self._order(server, LOAD_PATH, model)

    async def unload(self, server: ServerAddress, model: str) -> None:
        await self._order(server, UNLOAD_PATH, model)

    async def _order(self, server: ServerAddress, path: str, model: str) -> None:
        body = json.dumps({"model": model}).encode()
        headers = {"Content-Type": "application/json", **_shown(server)}
        try:
            async with asyncio.timeout(_LIMIT_S), posted(server.root + path, body, headers, self._opened) as answer:
                content = await _content(answer)
        except OSError as exc:  # with TimeoutError
            raise _unreachable() from exc
        # Somebody else may have given the same order, or a request did.
        if answer.status != _OK and not is_idle_order(content):
            raise _refusal(answer.status, content)

    async def _models(self, server: ServerAddress) -> tuple[RoutedModel, ...]:
        async with asyncio.timeout(_LIMIT_S), self._asked(server, MODELS_PATH) as answer:
            models = models_told(await _content(answer))
        if models is None:
            raise _refusal(answer.status, None)
        return models

    def _asked(self, server: ServerAddress, path: str) -> contextlib.AbstractAsyncContextManager[StreamedAnswer]:
        parts = urlsplit(server.root)
        connecting = asyncio.open_connection(parts.hostname, parts.port)
        headers = {"Host": parts.netloc, **_shown(server)}
        return asked(connecting, "GET", path, b"", headers=headers, opened=self._opened)


def _shown(server: ServerAddress) -> dict[str, str]:
    return {} if server.key is None else {"Authorization": f"Bearer {server.key}"}


async def _content(answer: StreamedAnswer) -> object:
    """The answer as JSON; None if it is none, or far too long."""
    text = b""
    async for data in answer.pieces():
        text += data
        if len(text) > _MOST_BYTES:
            return None
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content


def _unreachable() -> RunnerUnavailable:
    return RunnerUnavailable("the router does not answer")


def _refusal(status: int, content: object) -> RunnerUnavailable:
    return RunnerUnavailable(f"the router refuses: {reason_told(content) or f'HTTP {status}'}")
