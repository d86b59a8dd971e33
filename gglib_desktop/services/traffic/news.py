"""The news about what servers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gglib_desktop.domain.errors import HistoryError
from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.figures import Counters, ServerFigures
from gglib_desktop.domain.traffic.requests import RequestEvent


@dataclass(frozen=True)
class RequestsRead:
    """``events`` were read in the log of ``run``. Not ``live``: they are older than this program's watching."""

    run: str
    events: Sequence[RequestEvent]
    live: bool = True


@dataclass(frozen=True)
class RequestsKept:
    """The history has new requests, or refusals, of these runs."""

    runs: frozenset[str]


@dataclass(frozen=True)
class RecordingProblem:
    """The history cannot be written, or had to be begun anew. Told once until it can be written again."""

    error: HistoryError


@dataclass(frozen=True)
class RequestsAudited:
    """Whether the requests of ``run`` are all that its server counted. COMPLETE: ``cancelled_n`` tokens were generated
    for requests that were cancelled.
    """

    run: str
    verdict: Verdict
    cancelled_n: int | None = None


RecordingNews = RequestsKept | RecordingProblem | RequestsAudited


@dataclass(frozen=True)
class CountersRead:
    """What the server of ``run`` had counted, as it was just asked."""

    run: str
    counters: Counters


@dataclass(frozen=True)
class FiguresChanged:
    """What is known of the work of the server with this id, now."""

    server_id: int
    figures: ServerFigures


@dataclass(frozen=True)
class MachineMemory:
    """The memory of this computer and of its graphics cards in bytes. None: not known, or it has none."""

    total: int | None = None
    graphics: int | None = None
