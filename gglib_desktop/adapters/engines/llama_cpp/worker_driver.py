"""llama.cpp's workers, which take a part of a model each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver, LlamaProcessReader
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.llama_cpp.split.words import worker_argv
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.engine_driver import AskServer, Seen

# What leads to another computer accepts a connection, and closes it when nobody listens there.
_STAYS_S = 0.3


class WorkerProcessReader(LlamaProcessReader):
    """Workers of other programs are left alone: which server they belong to cannot be told."""

    @staticmethod
    def is_server(program: str, argv: Sequence[str]) -> bool:  # noqa: ARG004  # none is
        return False


class WorkerDriver(LlamaCppDriver):
    """Starts workers. They serve their head alone, one connection at a time, and tell nothing."""

    split = None

    def __init__(self, engine: Callable[[], Awaitable[Engine]]) -> None:
        super().__init__(engine)
        self.reader = WorkerProcessReader()

    @override
    async def open(self) -> None:
        """It asks nothing over HTTP."""

    @override
    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        return worker_argv(engine.path, host or LOOPBACK, port, config.threads)

    @override
    def requests(self, *, began_at: float, state: str = "") -> None:
        """It has none."""

    @override
    async def probe(self, server: ServerAddress, timeout_s: float) -> Probe:
        """Only while it starts: later it would wait in line behind the head."""
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(server.host or LOOPBACK, server.port)
                try:
                    async with asyncio.timeout(_STAYS_S):
                        await reader.read(1)
                except TimeoutError:
                    return Probe(ProbeResult.OK)
                finally:
                    writer.transport.abort()
        except OSError as exc:  # with TimeoutError
            return Probe(ProbeResult.REFUSED, str(exc))
        return Probe(ProbeResult.REFUSED, "the connection was closed")

    @override
    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        return None

    @override
    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        return None

    @override
    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return None

    @property
    @override
    def chat(self) -> AskServer | None:
        return None

    @override
    async def names(self, server: ServerAddress) -> tuple[str, ...]:
        return ()
