"""The life of a server as states, each with only what is known in it. Times are unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.server import ProcessHandle


@dataclass(frozen=True)
class Starting:
    """Asked to run; no process has answered yet."""

    word: ClassVar[str] = "Starting"
    since: float


@dataclass(frozen=True)
class Loading:
    """The process answers that the model is not ready. ``usual_s``: how long this model took before, if known."""

    word: ClassVar[str] = "Loading"
    handle: ProcessHandle
    since: float
    usual_s: float | None = None


@dataclass(frozen=True)
class Healthy:
    """Answers in time."""

    word: ClassVar[str] = "Healthy"
    handle: ProcessHandle


@dataclass(frozen=True)
class Busy:
    """Missed a health check but works: tokens or CPU time advance."""

    word: ClassVar[str] = "Busy"
    handle: ProcessHandle


@dataclass(frozen=True)
class Degraded:
    """Missed one or two health checks in a row and shows no progress."""

    word: ClassVar[str] = "Degraded"
    handle: ProcessHandle
    missed: int
    reason: str


@dataclass(frozen=True)
class Unresponsive:
    """Missed three or more health checks in a row without progress. ``paused``: the process has been stopped (T)."""

    word: ClassVar[str] = "Unresponsive"
    handle: ProcessHandle
    since: float
    reason: str
    paused: bool = False

    @property
    def failure(self) -> Failure:
        return Failure(FailureCause.FROZEN, self.reason)


@dataclass(frozen=True)
class Stopping:
    """Asked to end; killed if it has not by ``kill_at``. ``handle`` None: it was only starting."""

    word: ClassVar[str] = "Stopping"
    handle: ProcessHandle | None
    since: float
    kill_at: float


@dataclass(frozen=True)
class Stopped:
    """Ended because we asked. ``end`` None: it had not begun to run."""

    word: ClassVar[str] = "Stopped"
    at: float
    end: ServerExit | None = None


@dataclass(frozen=True)
class Failed:
    """Never became ready."""

    word: ClassVar[str] = "Failed"
    at: float
    failure: Failure


@dataclass(frozen=True)
class Crashed:
    """Was ready, then died without being asked. ``retry``: it will be started again automatically."""

    word: ClassVar[str] = "Crashed"
    at: float
    failure: Failure
    retry: Retry | None = None


@dataclass(frozen=True)
class Unreachable:
    """Its place cannot be reached, so nothing is known of it since. ``place`` is the id of that place.

    ``handle`` is the process that ran there before; None where none was seen by this run of the program.
    """

    word: ClassVar[str] = "Unreachable"
    since: float
    place: str
    reason: str = ""
    handle: ProcessHandle | None = None


Running = Loading | Healthy | Busy | Degraded | Unresponsive
Ended = Stopped | Failed | Crashed
ServerState = Starting | Running | Stopping | Ended | Unreachable


def handle_of(state: ServerState) -> ProcessHandle | None:
    """The process behind a state, None where there is none (any more)."""
    return getattr(state, "handle", None)


def is_live(state: ServerState) -> bool:
    """A process runs or is about to, as far as is known."""
    return not isinstance(state, Ended | Unreachable)
