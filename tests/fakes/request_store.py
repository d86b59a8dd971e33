"""A history of requests in memory, which can be refused."""

import asyncio
from collections.abc import Sequence

from gglib_desktop.domain.errors import HistoryError
from gglib_desktop.domain.traffic.requests import RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import (
    KeptRequest,
    ReadSoFar,
    RequestHistory,
    RequestScope,
    RunNews,
)


class MemoryRequestStore:
    """``refuse`` is raised by every write until it is taken back; ``writes`` counts the others.

    ``slow``, where there is one, is waited for before it tells which runs are not over.
    """

    def __init__(self) -> None:
        self.runs: dict[str, tuple[RunFacts, ReadSoFar]] = {}
        self.kept: list[KeptRequest] = []
        self.refused: dict[str, int] = {}
        self.refuse: HistoryError | None = None
        self.slow: asyncio.Event | None = None
        self.writes = 0
        self.drops: list[tuple[int, float]] = []

    def rows(self, run: str) -> list[RequestRow]:
        return [each.row for each in self.kept if each.run.run == run]

    async def read_so_far(self, run: str) -> ReadSoFar | None:
        return self.runs[run][1] if run in self.runs else None

    async def unfinished(self) -> Sequence[tuple[RunFacts, ReadSoFar]]:
        if self.slow is not None:
            await self.slow.wait()
        return [(facts, read) for facts, read in self.runs.values() if not read.over]

    async def keep(self, news: Sequence[RunNews]) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.writes += 1
        for each in news:
            self.runs[each.run.run] = (each.run, each.read)
            self.kept += [KeptRequest(len(self.kept) + n, each.run, row) for n, row in enumerate(each.rows, start=1)]
            self.refused[each.run.run] = self.refused.get(each.run.run, 0) + each.refused

    async def history(
        self, scope: RequestScope, *, after: int = 0, before: int | None = None, most: int | None = None
    ) -> RequestHistory:
        found = [
            each
            for each in reversed(self.kept)
            if each.number > after
            and (before is None or each.number < before)
            and (scope.run is None or each.run.run == scope.run)
            and (scope.run is not None or scope.model_id is None or each.run.model_id == scope.model_id)
        ]
        return RequestHistory(found[:most], sum(self.refused.values()))

    async def clear(self, scope: RequestScope) -> None:
        self.kept = [each for each in self.kept if scope.run not in {None, each.run.run}]

    async def drop_old(self, *, most_rows: int, oldest: float) -> None:
        self.drops.append((most_rows, oldest))
