"""The port to an engine that serves one model over several computers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from gglib_desktop.domain.engine.capabilities import Engine


class SplitEngine(Protocol):
    """What a head needs. Addresses are ``host:port``, as the head reaches its workers."""

    def with_workers(self, argv: Sequence[str], addresses: Sequence[str]) -> tuple[str, ...]:
        """Its command line. Raises: ConfigurationError."""

    async def reached(self, engine: Engine, addresses: Sequence[str]) -> Collection[str]:
        """Those that answer within some seconds as workers that are free."""

    def missing_in(self, log: str) -> Collection[str]:
        """Those that a head says it did not reach. ``log`` is the beginning of its output."""
