"""Offers the engine of simulated servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gglib_desktop.adapters.engines.llama_cpp.simulated import SIMULATED_ENGINE
from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.dialect import Dialect


class MockEngineCatalog:
    """Offers one engine that knows every option and does not exist."""

    @cached_property
    def dialect(self) -> Dialect:
        from gglib_desktop.domain.llama_cpp.dialect import LlamaCppDialect

        return LlamaCppDialect()

    async def find(self, configured: Path | None) -> Engine:
        return await self.inspect(configured or SIMULATED_ENGINE.path)

    async def inspect(self, path: Path) -> Engine:
        return replace(SIMULATED_ENGINE, path=path)

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:  # noqa: ARG002  # all are alike
        return (EngineDevice("Mock0", "Simulated card", 8 * 2**30),)
