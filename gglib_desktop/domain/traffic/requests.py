"""The requests of a server: what its log tells of them, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class RequestEnd(StrEnum):
    """How a request ended. The last two are no requests.

    ``NOT_RECORDED`` stands for a part of the log that was lost. ``INTERVAL`` holds the sums of a time, from the
    engine's counters, where its lines are not understood.
    """

    OK = "ok"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    FULL = "full"
    NOT_RECORDED = "not recorded"
    INTERVAL = "interval"


class RequestRow(NamedTuple):  # a dataclass takes four times as long to make, and there may be 100,000
    """One request that reached a slot. None: the engine did not tell.

    ``started`` is the unix time, in seconds, at which a slot took it; ``ttft_ms`` the time from then to the first
    token. ``prompt_n`` tokens were evaluated, ``cached_n`` further ones were not. ``gen_n`` tokens were generated, of
    which ``gen_ms`` times ``timed_n``: builds differ in whether the first one counts. ``busy_slots``: how many slots
    of the server were at work at once during it, at most and its own included.
    """

    started: float
    end: RequestEnd
    task: int | None = None
    slot: int | None = None
    ttft_ms: float | None = None
    prompt_n: int | None = None
    cached_n: int | None = None
    prompt_ms: float | None = None
    gen_n: int | None = None
    gen_ms: float | None = None
    timed_n: int | None = None
    draft_n: int | None = None
    accepted_n: int | None = None
    busy_slots: int = 1

    @property
    def ended(self) -> float:
        """The unix time of its end, as far as its times are known."""
        return self.started + ((self.ttft_ms or 0.0) + (self.gen_ms or 0.0)) / 1e3

    @property
    def prompt_speed(self) -> float | None:
        """Tokens per second, those from the cache left out."""
        return self.prompt_n * 1e3 / self.prompt_ms if self.prompt_n and self.prompt_ms else None

    @property
    def speed(self) -> float | None:
        """Tokens generated per second."""
        return self.timed_n * 1e3 / self.gen_ms if self.timed_n and self.gen_ms else None


@dataclass(frozen=True)
class RunFacts:
    """What all requests of one run of a server have in common.

    ``run`` is the name of its log. ``speed_key`` is equal for runs that are equally fast without drafting: engine
    build, device, threads. ``n_max`` None or 0: without drafting.
    """

    run: str
    model_id: int
    model: str
    build: str = ""
    n_max: int | None = None
    p_min: float | None = None
    speed_key: str = ""


# -- what a log tells, in its order; times are unix seconds


@dataclass(frozen=True)
class Launched:
    """A slot took a request."""

    at: float
    slot: int
    task: int


@dataclass(frozen=True)
class PromptProgress:
    """``read_n`` tokens of the prompt have been read. ``total_n`` None: its length is not known."""

    at: float
    slot: int
    task: int
    read_n: int
    total_n: int | None = None


@dataclass(frozen=True)
class GenerationProgress:
    """``gen_n`` tokens have been generated."""

    at: float
    slot: int
    task: int
    gen_n: int


@dataclass(frozen=True)
class Shifted:
    """The beginning of a context was dropped to make room."""

    at: float
    slot: int
    task: int


@dataclass(frozen=True)
class Finished:
    """A request that a slot had taken is over, in whatever way. ``at`` is when it ended."""

    at: float
    row: RequestRow


@dataclass(frozen=True)
class Refused:
    """A request was refused before any slot took it, for example because of bad JSON."""

    at: float


RequestEvent = Launched | PromptProgress | GenerationProgress | Shifted | Finished | Refused


class RequestReader(Protocol):
    """Reads the requests of one run from its log, piece by piece. Pure; no bytes make it raise or invent a row."""

    def feed(self, data: bytes, now: float) -> Sequence[RequestEvent]:
        """What these bytes tell; they follow those of the last call. ``now`` is the time of lines without one."""

    def settle(self, now: float) -> Sequence[RequestEvent]:
        """Called while nothing new comes: ends requests of which a part of the last lines stays away."""

    def end(self, now: float) -> Sequence[RequestEvent]:
        """The run is over, and so are the requests in it."""

    def skip(self, now: float) -> Sequence[RequestEvent]:
        """The next bytes do not follow the last ones, because what lay between is lost."""

    @property
    def pending_bytes(self) -> int:
        """How many bytes at the end of what was fed are the beginning of a line, to be fed again by a later reader."""

    @property
    def state(self) -> str:
        """All that a later reader needs to go on after the last complete line, as text. Small."""
