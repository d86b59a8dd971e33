"""Keeps what was written about models in memory."""

import asyncio
from collections.abc import Sequence

from gglib_desktop.domain.errors import LibraryError


class FakeKeeper:
    """``problem`` is raised instead of keeping anything; ``gate`` holds saving up until it is set."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[tuple[str, ...], str]] = {}
        self.problem: LibraryError | None = None
        self.gate: asyncio.Event | None = None
        self.calls = 0

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        self.kept[model_id] = tuple(tags), notes
