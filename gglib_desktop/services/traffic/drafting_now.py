"""What drafting brings to a server now, compared with the speed that its model had without."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.traffic.drafting import drafting, times_without_drafting
from gglib_desktop.domain.traffic.figures import Counters, Drafting
from gglib_desktop.domain.traffic.requests import RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import KeptRequest, RequestScope, RequestStore

_ROWS = 100
_PAGE_ROWS, _MOST_PAGES = 2000, 10
_MEASUREMENTS = 100
_LOOK_EVERY_S = 60.0


# Milliseconds per token of the model in a file, as measured for servers of a ``speed_key``; none if unknown.
OffTimes: TypeAlias = Callable[[Path, str], Sequence[float]]


def no_off_times(_model_path: Path, _speed_key: str) -> Sequence[float]:
    """Nothing was measured."""
    return ()


class DraftingNow:
    """Follows one run. ``store`` has the requests of its model; None: there is no history.

    ``off_times`` tells what a measurement of the model found for servers of a ``speed_key``.
    """

    def __init__(
        self, store: RequestStore | None, off_times: Callable[[str], Sequence[float]] = lambda _speed_key: ()
    ) -> None:
        self._store = store
        self._off_times = off_times
        self._rows: deque[RequestRow] = deque(maxlen=_ROWS)
        self._drafts = False
        self._without: list[tuple[RunFacts, RequestRow]] = []
        self._looked_at = -math.inf
        self._newest = 0
        self._known: tuple[object, Drafting | None] = (None, None)

    def take(self, row: RequestRow) -> None:
        """A request of the run is over."""
        self._rows.appendleft(row)
        self._drafts = self._drafts or bool(row.draft_n)
        self._known = (None, None)

    def figures(self, run: RunFacts, counters: Counters | None) -> Drafting | None:
        if not self._drafts:
            return None
        if self._known[0] != (run, counters):
            # A measurement asked for just that; requests of people come at all times.
            off_times = self._off_times(run.speed_key) or times_without_drafting(self._without, run)
            found = drafting(self._rows, counters, off_times)
            self._known = ((run, counters), found)
        return self._known[1]

    def is_due(self, at: float) -> bool:
        """The history may tell how fast the model is without drafting. ``at`` is by any clock."""
        return self._drafts and self._store is not None and at >= self._looked_at + _LOOK_EVERY_S

    async def look(self, run: RunFacts, at: float) -> None:
        """Reads what is new in the history of the model."""
        self._looked_at = at
        if self._store is None:
            return
        try:
            found = await self._new_requests(self._store, RequestScope(model_id=run.model_id))
        except LibraryError:
            return  # the recorder tells of it
        if found:
            self._newest = found[0].number
            without = [(kept.run, kept.row) for kept in found if not kept.run.n_max]
            self._without = [*without, *self._without][:_MEASUREMENTS]
            self._known = (None, None)

    async def _new_requests(self, store: RequestStore, scope: RequestScope) -> Sequence[KeptRequest]:
        """The newest first."""
        found: list[KeptRequest] = []
        before = None
        for _page in range(_MOST_PAGES):
            page = (await store.history(scope, after=self._newest, before=before, most=_PAGE_ROWS)).requests
            found += page
            without = sum(not kept.run.n_max for kept in found)
            if len(page) < _PAGE_ROWS or without >= _MEASUREMENTS:
                break
            before = page[-1].number
        return found
