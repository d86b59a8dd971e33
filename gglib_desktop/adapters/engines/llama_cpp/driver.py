"""llama.cpp's server as an engine: what the runner needs to start, ask and understand it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gglib_desktop.adapters.engines.llama_cpp.split import LlamaSplit
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import mtp_is_suppressed
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE, engine_environment, server_argv
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.llama_cpp.facts import is_loading, lists_models
from gglib_desktop.domain.llama_cpp.processes import (
    may_sleep,
    server_port,
    stated_key,
    stated_model,
    stated_settings,
)
from gglib_desktop.domain.llama_cpp.requests.reader import LlamaRequestReader
from gglib_desktop.domain.llama_cpp.router.argv import is_model_process
from gglib_desktop.domain.options.arguments import KEY_FLAGS
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Probe
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.engine_driver import AskServer, Seen

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

    from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient
    from gglib_desktop.adapters.http.chats import StreamedChats
    from gglib_desktop.domain.traffic.chat import Answer, ChatRequest
    from gglib_desktop.domain.traffic.figures import Counters, SlotWork
    from gglib_desktop.domain.traffic.requests import RequestReader
    from gglib_desktop.ports.servers.model_router import AskRouter
    from gglib_desktop.ports.servers.split_engine import SplitEngine

# With it a server computes on other computers too, whose GPUs are not seen here.
_REMOTE_FLAG = "--rpc"


class LlamaProcessReader:
    """Recognizes llama-server by its name, and reads its command line and variables."""

    names_begin = "llama"
    program_name = "llama-server"
    key_flags = KEY_FLAGS
    is_server = staticmethod(is_model_process)
    port = staticmethod(server_port)
    model = staticmethod(stated_model)
    settings = staticmethod(stated_settings)
    key = staticmethod(stated_key)


class LlamaCppDriver:
    """Starts and asks llama-server. ``engine`` gives the program in force, or raises ConfigurationError."""

    diagnose = staticmethod(diagnose)
    says_loading = staticmethod(is_loading)
    lists = staticmethod(lists_models)
    may_sleep = True
    split: SplitEngine | None = LlamaSplit()

    def __init__(self, engine: Callable[[], Awaitable[Engine]], *, client: LlamaClient | None = None) -> None:
        """``client`` None: one for servers on this computer, made with the first question."""
        self._engine = engine
        self.reader = LlamaProcessReader()
        self._client = client
        self._is_closed = False

    @classmethod
    def asking(cls, connections: httpx.AsyncBaseTransport, chats: StreamedChats) -> LlamaCppDriver:
        """One that asks servers of other people over those connections, and starts none. Loads what asking takes."""
        return cls(_no_program, client=_client_class()(transport=connections, chats=chats))

    async def open(self) -> None:
        """What asking takes is loaded with the first question: until there is a server, it is 10 MiB in vain."""

    async def aclose(self) -> None:
        self._is_closed = True
        if self._client is not None:
            await self._client.aclose()

    async def engine(self) -> Engine:
        return await self._engine()

    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        return server_argv(config, engine, port, host=host, mtp_suppressed=mtp_is_suppressed(environment))

    def links(self, config: ServerConfig) -> Mapping[str, Path]:  # noqa: ARG002  # it is told paths
        return {}

    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        kept = engine_environment(inherited, frozen=getattr(sys, "frozen", False))
        return kept if key is None else {**kept, KEY_VARIABLE: key}

    def requests(self, *, began_at: float, state: str = "") -> RequestReader | None:
        return LlamaRequestReader(began_at, state)

    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        return await (await self._asks()).probe(server, timeout_s)

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        facts = await (await self._asks()).facts(server, seen.log, wants_key=seen.wants_key)
        if facts is None:
            return None
        is_on_cpu = facts.gpu_layers is None and seen.no_gpu and _REMOTE_FLAG not in seen.command_line
        return replace(
            facts,
            gpu_layers=0 if is_on_cpu else facts.gpu_layers,
            may_sleep=facts.may_sleep or may_sleep(seen.command_line),
        )

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        return await (await self._asks()).slots(server, may_sleep=may_sleep)

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return await (await self._asks()).counters(server, may_sleep=may_sleep)

    @property
    def chat(self) -> AskServer | None:
        return self._ask

    def _ask(self, server: ServerAddress, request: ChatRequest) -> Answer:
        return self._made().chats.ask(server, request)

    @property
    def router(self) -> AskRouter | None:
        return None

    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        return await (await self._asks()).names(server)

    async def _asks(self) -> LlamaClient:
        if self._client is None and not self._is_closed:
            # Importing the HTTP library takes 100 ms, so not on the loop.
            await asyncio.to_thread(_client_class)
        return self._made()

    def _made(self) -> LlamaClient:
        if self._is_closed:
            raise RunnerUnavailable("the runner is closed")
        if self._client is None:
            self._client = _client_class()()
        return self._client


async def _no_program() -> Engine:
    raise ConfigurationError("engine", None, "it runs elsewhere")


def _client_class() -> type[LlamaClient]:
    # Where click and rich are installed, httpx would load its command line with them, which takes 9 MiB. A module that
    # is None cannot be imported, and httpx does without.
    sys.modules.setdefault("httpx._main", cast("ModuleType", None))
    from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient

    return LlamaClient
