"""llama.cpp's server in router mode as an engine: one server, many models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaCppDriver, LlamaProcessReader
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.llama_cpp.router.argv import is_router_process, router_argv, stated_preset
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.engine_driver import Seen

if TYPE_CHECKING:
    from gglib_desktop.adapters.engines.llama_cpp.routing import RouterQuestions
    from gglib_desktop.ports.servers.model_router import AskRouter


class RouterProcessReader(LlamaProcessReader):
    """Its model is the file that lists them."""

    is_server = staticmethod(is_router_process)
    model = staticmethod(stated_preset)


class RouterDriver(LlamaCppDriver):
    """Starts and asks routers. What they do themselves is little, and what their models do they do not tell.

    Each of these questions would be about one model, and load it.
    """

    split = None

    def __init__(self, engine: Callable[[], Awaitable[Engine]]) -> None:
        super().__init__(engine)
        self.reader = RouterProcessReader()
        self._questions: RouterQuestions | None = None

    @override
    async def aclose(self) -> None:
        if self._questions is not None:
            self._questions.close()
        await super().aclose()

    @override
    def command(
        self, config: ServerConfig, engine: Engine, port: int, *, host: str | None, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        return router_argv(config, engine, port, host=host)

    @override
    def requests(self, *, began_at: float, state: str = "") -> None:
        """Its log is that of all models."""

    @override
    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        facts = await super().facts(server, seen)
        if facts is None or facts.refused:
            return facts
        # It has values for these, and they mean nothing.
        return replace(facts, context_size=None, slots=None, model_path=None, alias=None, gpu_layers=None, layers=None)

    @override
    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:
        return None

    @override
    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:
        return None

    @property
    @override
    def router(self) -> AskRouter:
        if self._questions is None:
            from gglib_desktop.adapters.engines.llama_cpp.routing import RouterQuestions

            self._questions = RouterQuestions()
        return self._questions
