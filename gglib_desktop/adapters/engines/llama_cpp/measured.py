"""llama-server as it is measured: nothing is kept from one question for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver
from gglib_desktop.adapters.http.streamed_answer import posted
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import ChatRefused, NoAnswer
from gglib_desktop.domain.llama_cpp.asking.completion import COMPLETION_PATH, NO_CACHE, completion_body, completion_told
from gglib_desktop.domain.options.arguments import flag_of
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest

_OK = 200
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class MeasuredLlama(LlamaCppDriver):
    """Also a ``CompletingDriver``."""

    @override
    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        words = super().command(config, engine, port, host=host, environment=environment)
        flag = NO_CACHE[0]
        if not engine.capabilities.supports(flag) or flag in map(flag_of, config.extra_args):
            return words
        return (*words, *NO_CACHE)

    async def complete(self, server: ServerAddress, request: CompletionRequest) -> Completion:
        """No time limit: a long prompt takes minutes. Raises: ChatError."""
        opened: set[asyncio.WriteTransport] = set()
        headers = _HEADERS if server.key is None else {**_HEADERS, "Authorization": f"Bearer {server.key}"}
        try:
            async with posted(server.root + COMPLETION_PATH, completion_body(request), headers, opened) as answer:
                content = b"".join([piece async for piece in answer.pieces()])
                if answer.status != _OK:
                    raise ChatRefused(content[:400].decode(errors="replace"))
        except OSError as exc:
            raise NoAnswer("the server ended before it answered") from exc
        return completion_told(content)
