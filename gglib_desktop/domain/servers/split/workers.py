"""The workers of a head, as they are seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WorkerState(StrEnum):
    """PAUSED: something stopped its process, and requests wait until it goes on.

    UNREACHABLE: its place does not answer, so nothing is known of it since.
    """

    RUNNING = "running"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    ENDED = "ended"


@dataclass(frozen=True)
class Worker:
    """``place`` is the id of where it runs, ``rss_bytes`` what its process has in memory; None: not known."""

    place: str
    state: WorkerState
    rss_bytes: int | None = None
