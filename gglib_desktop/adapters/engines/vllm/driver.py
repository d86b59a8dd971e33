"""vLLM as an engine."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from gglib_desktop.adapters.engines.openai.catalog import ProgramKind
from gglib_desktop.adapters.engines.openai.driver import OpenAiDriver
from gglib_desktop.domain.openai.models import MODELS_PATH
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.vllm.answers import METRICS_PATH, VERSION_PATH, counters_told, facts_told
from gglib_desktop.domain.vllm.dialect import NAME_FLAG, READER, VllmDialect
from gglib_desktop.domain.vllm.log import diagnose
from gglib_desktop.ports.servers.engine_driver import Seen

VLLM_PROGRAM = ProgramKind(
    VllmDialect(),
    "vllm",
    "GGLIB_VLLM_PATH",
    ("--port", "--host", NAME_FLAG),
    lambda _path: None,
    subcommand=("serve",),
    help_flag="--help=all",
)


class VllmDriver(OpenAiDriver):
    """Its port refuses connections while it loads. It is asked for no model but those of the disk."""

    dialect = VllmDialect()
    reader = READER
    harmful = ("VLLM_PORT", "VLLM_HOST_IP", "VLLM_API_KEY")
    diagnose = staticmethod(diagnose)

    @override
    def environment(self, inherited: Mapping[str, str], key: str | None) -> dict[str, str]:
        return {"HF_HUB_OFFLINE": "1", **super().environment(inherited, key)}

    async def facts(self, server: ServerAddress, seen: Seen) -> ServerFacts | None:  # noqa: ARG002  # it tells all itself
        return facts_told(await self._told(server, MODELS_PATH), await self._told(server, VERSION_PATH))

    async def slots(self, server: ServerAddress, *, may_sleep: bool = False) -> None:
        """It has none: it takes as many requests as its memory holds."""

    async def counters(self, server: ServerAddress, *, may_sleep: bool = False) -> Counters | None:  # noqa: ARG002  # it never does
        return counters_told(await self._told_as_text(server, METRICS_PATH))
