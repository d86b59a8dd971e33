"""The engines that a form can choose from."""

from __future__ import annotations

from dataclasses import dataclass

from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities
from gglib_desktop.domain.servers.dialect import Dialect


@dataclass(frozen=True)
class EngineChoice:
    """One kind of engine: its words, and its program if one was found. ``problem``: why none can be used."""

    dialect: Dialect
    engine: Engine | None = None
    problem: str | None = None

    @property
    def capabilities(self) -> EngineCapabilities:
        """Empty without a program."""
        return EngineCapabilities() if self.engine is None else self.engine.capabilities
