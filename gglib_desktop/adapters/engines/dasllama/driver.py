"""dasllama-server as an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.engines.openai.driver import OpenAiDriver
from gglib_desktop.domain.dasllama.dialect import OWN_VARIABLES, READER, DasllamaDialect, link_name
from gglib_desktop.domain.dasllama.log import diagnose
from gglib_desktop.domain.dasllama.stats import STATS_PATH, counters_told, facts_told, slots_told
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.ports.servers.engine_driver import Seen


class DasllamaDriver(OpenAiDriver):
    """Each server runs in a folder of its own, in which the model is a link that has its name for clients."""

    dialect = DasllamaDialect()
    reader = READER
    harmful = ("DASLLAMA_",)
    diagnose = staticmethod(diagnose)

    @override
    def links(self, config: ServerConfig) -> Mapping[str, Path]:
        return {link_name(config): config.model_path}

    @override
    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        return super().environment(inherited, None) | OWN_VARIABLES

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:
        facts = facts_told(await self._told(server, STATS_PATH))
        return replace(facts, gpu_layers=0) if facts is not None and seen.no_gpu else facts

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> Sequence[SlotWork] | None:  # noqa: ARG002  # it never does
        return slots_told(await self._told(server, STATS_PATH))

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:  # noqa: ARG002  # as above
        return counters_told(await self._told(server, STATS_PATH))
