"""The port to the history of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gglib_desktop.domain.traffic.audit import Told
from gglib_desktop.domain.traffic.requests import RequestRow, RunFacts


@dataclass(frozen=True)
class ReadSoFar:
    """How far the log of a run has been read: ``offset`` in bytes, and the ``state`` of its reader there.

    ``over``: the run has ended, and all of its log was read. ``told``: what all its requests add up to, also those
    that the history has no more.
    """

    offset: int = 0
    state: str = ""
    over: bool = False
    told: Told = Told()


@dataclass(frozen=True)
class RunNews:
    """What was read of one run since the last news: requests that are over, and how many never reached a slot."""

    run: RunFacts
    read: ReadSoFar
    rows: Sequence[RequestRow] = ()
    refused: int = 0


@dataclass(frozen=True)
class RequestScope:
    """Which requests: those of a ``run``, else those of a model, else all."""

    run: str | None = None
    model_id: int | None = None


class KeptRequest(NamedTuple):
    """A request of the history, with its run. ``number`` grows in the order in which they were kept."""

    number: int
    run: RunFacts
    row: RequestRow


@dataclass(frozen=True)
class RequestHistory:
    """``requests``, newest first; ``refused``: how many never reached a slot."""

    requests: Sequence[KeptRequest]
    refused: int = 0


class RequestStore(Protocol):
    """Keeps requests without prompts and answers. Methods raise LibraryError when its file cannot be used."""

    async def read_so_far(self, run: str) -> ReadSoFar | None:
        """None for a run that is new."""

    async def unfinished(self) -> Sequence[tuple[RunFacts, ReadSoFar]]:
        """The runs that are not over."""

    async def keep(self, news: Sequence[RunNews]) -> None:
        """Keeps all of it or, after a crash, nothing."""

    async def history(
        self, scope: RequestScope, *, after: int = 0, before: int | None = None, most: int | None = None
    ) -> RequestHistory:
        """Those with a number above ``after`` and below ``before``; the newest ``most`` of them.

        100,000 take half a second or more, so the newest are asked for first, and the rest once these are shown.
        """

    async def clear(self, scope: RequestScope) -> None:
        """Forgets requests, but not how far logs were read."""

    async def drop_old(self, *, most_rows: int, oldest: float) -> None:
        """Keeps the newest ``most_rows``, and of them those that started after the unix time ``oldest``."""
