"""Starts and asks servers that answer as OpenAI's API says. What is an engine's own is in its package."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import for_other_programs, mtp_is_suppressed
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.openai.flag_dialect import FlagDialect
from gglib_desktop.domain.openai.flag_reader import FlagReader
from gglib_desktop.domain.openai.models import MODELS_PATH, are_of, model_ids, readiness
from gglib_desktop.domain.options.host import openai_chats
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.health import Probe
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import AskServer

if TYPE_CHECKING:
    import httpx

    from gglib_desktop.adapters.engines.openai.questions import Questions
    from gglib_desktop.adapters.http.chats import StreamedChats
    from gglib_desktop.domain.traffic.chat import Answer, ChatRequest


class OpenAiDriver:
    """The half of an ``EngineDriver`` that is the same for all of these. ``engine`` gives the program in force.

    ``harmful`` is how variables begin that would change the engine.
    """

    dialect: FlagDialect
    reader: FlagReader
    harmful: tuple[str, ...] = ()
    router = None
    split = None

    def __init__(self, engine: Callable[[], Awaitable[Engine]]) -> None:
        self._engine = engine
        self._asks: Questions | None = None
        self._chats: StreamedChats | None = None
        self._is_closed = False

    @classmethod
    def asking(cls, connections: httpx.AsyncBaseTransport, chats: StreamedChats) -> Self:
        """One that asks servers of other people over those connections, and starts none. Loads what asking takes."""
        made = cls(_no_program)
        made._asks, made._chats = _questions_class()(transport=connections), chats
        return made

    async def open(self) -> None:
        """What asking takes is loaded with the first question: few use two kinds of engines."""

    async def aclose(self) -> None:
        self._is_closed = True
        if self._chats is not None:
            self._chats.close()
        if self._asks is not None:
            await self._asks.aclose()

    async def engine(self) -> Engine:
        return await self._engine()

    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        suppressed = mtp_is_suppressed(environment)
        return self.dialect.command(config, engine, port, host=host, mtp_suppressed=suppressed)

    def links(self, config: ServerConfig) -> Mapping[str, Path]:  # noqa: ARG002  # most are told paths
        return {}

    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        kept = for_other_programs(inherited, frozen=getattr(sys, "frozen", False), without=self.harmful)
        return kept if key is None else {**kept, self.dialect.key_variable: key}

    def requests(self, *, began_at: float, state: str = "") -> None:
        """Their logs tell of none."""

    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        answer = await (await self._questions()).answer(server, MODELS_PATH, timeout_s, key=server.key)
        if isinstance(answer, Probe):
            return answer
        from gglib_desktop.adapters.engines.openai.questions import value_of

        return readiness(answer.status_code, value_of(answer), server.model, self.dialect.program)

    @property
    def chat(self) -> AskServer | None:
        return self._ask

    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        return model_ids(await self._told(server, MODELS_PATH)) or ()

    async def _told(self, server: ServerAddress, path: str) -> Any:
        """The content of a good answer, None without one."""
        from gglib_desktop.adapters.engines.openai.questions import value_of

        return value_of(await (await self._questions()).get(server, path, key=server.key))

    async def _told_as_text(self, server: ServerAddress, path: str) -> str:
        """As ``_told``, of an answer that is no JSON; empty without one."""
        answer = await (await self._questions()).get(server, path, key=server.key)
        return answer.text if answer is not None and answer.is_success else ""

    # -- ``AskedEngine``, beside the above

    def says_loading(self, content: object) -> bool:  # noqa: ARG002  # none of them says so
        return False

    def lists(self, content: object) -> bool:
        return are_of(content, self.reader.names_begin)

    @property
    def may_sleep(self) -> bool:
        return False

    def _ask(self, server: ServerAddress, request: ChatRequest) -> Answer:
        from gglib_desktop.adapters.http.chats import StreamedChats
        from gglib_desktop.domain.openai.chat import AnswerReader, chat_body

        self._check_open()
        if self._chats is None:
            self._chats = StreamedChats()

        def body(request: ChatRequest) -> bytes:
            named = {"model": server.model} if server.model else {}
            return chat_body(request, stream_options={"include_usage": True}, **named)

        return self._chats.ask(openai_chats(server.api), server.key, request, body, AnswerReader())

    async def _questions(self) -> Questions:
        self._check_open()
        if self._asks is None:
            # Importing the HTTP library takes 100 ms, so not on the loop.
            await asyncio.to_thread(_questions_class)
            self._check_open()
        if self._asks is None:
            self._asks = _questions_class()()
        return self._asks

    def _check_open(self) -> None:
        if self._is_closed:
            raise RunnerUnavailable("the runner is closed")


async def _no_program() -> Engine:
    raise ConfigurationError("engine", None, "this one only asks")


def _questions_class() -> type[Questions]:
    from gglib_desktop.adapters.engines.openai.questions import Questions

    return Questions
