"""The engine of simulated servers."""

from __future__ import annotations

from pathlib import Path

from gglib_desktop.domain.engine import DRAFT_MTP, Engine, EngineCapabilities, EngineSource


class MockEngineCatalog:
    """Offers one engine that can draft and does not exist."""

    async def find(self, configured: Path | None) -> Engine:
        return await self.inspect(configured or Path("simulated"))

    async def inspect(self, path: Path) -> Engine:
        capabilities = EngineCapabilities(spec_types=frozenset({DRAFT_MTP}))
        return Engine(path, "simulated", capabilities, EngineSource.MOCK)
