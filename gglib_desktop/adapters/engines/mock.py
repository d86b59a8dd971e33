"""The engine of simulated servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.adapters.runners.mock_server import SIMULATED_ENGINE
from gglib_desktop.domain.engine.capabilities import Engine, EngineDevice


class MockEngineCatalog:
    """Offers one engine that knows every option and does not exist."""

    async def find(self, configured: Path | None) -> Engine:
        return await self.inspect(configured or SIMULATED_ENGINE.path)

    async def inspect(self, path: Path) -> Engine:
        return replace(SIMULATED_ENGINE, path=path)

    async def devices(self, engine: Engine) -> Sequence[EngineDevice]:  # noqa: ARG002  # all are alike
        return (EngineDevice("Mock0", "Simulated card", 8 * 2**30),)
