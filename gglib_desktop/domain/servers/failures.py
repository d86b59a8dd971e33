"""How a server ended, and why it failed."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from enum import StrEnum

EVIDENCE_LINES = 8


class StopRung(StrEnum):
    """How far the stop ladder had to go. The values are the last signal sent."""

    NONE = "none"
    SIGTERM = "SIGTERM"
    SECOND_SIGTERM = "second SIGTERM"
    SIGKILL = "SIGKILL"


class Absence(StrEnum):
    """Why this program did not see an end."""

    NONE = "none"
    NOT_RUNNING = "this program was not running"
    COMPUTER_RESTARTED = "the computer was restarted"


# HUP, INT, QUIT, KILL and TERM; programs send themselves the other ones.
_SIGNALS_OF_OTHERS = frozenset({1, 2, 3, 9, 15})


@dataclass(frozen=True)
class ServerExit:
    """The end of a server. ``status`` is an exit code, or minus the signal; None if only a parent could know it.

    ``lost_worker``: the id of the place whose worker had ended, so that this program ended it.
    ``out_of_memory``: its place ended it because it used more memory than there is, or than it may.
    """

    status: int | None
    stopped_by: StopRung = StopRung.NONE
    absence: Absence = Absence.NONE
    out_of_memory: bool = False
    lost_worker: str = ""

    @property
    def signal_number(self) -> int | None:
        return -self.status if self.status is not None and self.status < 0 else None

    @property
    def was_signalled(self) -> bool:
        """It ended by a signal that programs don't send themselves."""
        return self.signal_number in _SIGNALS_OF_OTHERS

    @property
    def asked_for(self) -> bool:
        """We were stopping it when it ended."""
        return self.stopped_by is not StopRung.NONE

    def __str__(self) -> str:
        if self.absence is not Absence.NONE:
            return f"ended while {self.absence}"
        if self.lost_worker:
            return f"ended by this program, because its worker at {self.lost_worker} had ended"
        if self.status is None:
            return "ended, reason unknown to us"
        if self.signal_number is None:
            return f"exit code {self.status}"
        return f"signal {self.signal_number}"


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number itself if the system has no name for it."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class FailureCause(StrEnum):
    """The classes of failure with their own sentence and remedy."""

    UNKNOWN_FLAG = "unknown flag"
    BAD_VALUE = "bad value"
    MODEL_MISSING = "model missing"
    MODEL_CORRUPT = "model corrupt"
    MODEL_UNREADABLE = "model unreadable"
    MODEL_UNSUPPORTED = "model unsupported"
    COMPANION_ALONE = "companion alone"
    COMPANION_REFUSED = "companion refused"
    TEMPLATE_REFUSED = "template refused"
    MTP_LAYERS_MISSING = "MTP layers missing"
    PORT_TAKEN = "port taken"
    OUT_OF_MEMORY = "out of memory"
    LIBRARY_MISSING = "library missing"
    WORKER_LOST = "worker lost"
    WRONG_PROCESSOR = "wrong processor"
    WRONG_GRAPHICS = "wrong graphics card"
    ENGINE_UNUSABLE = "engine unusable"
    CONFIGURATION = "configuration"
    RUNNER_UNAVAILABLE = "runner unavailable"
    KILLED = "killed"
    STALLED = "stalled"
    FROZEN = "frozen"
    UNKNOWN = "unknown"

    @property
    def will_repeat(self) -> bool:
        """Another try without a change is bound to fail in the same way."""
        return self not in {FailureCause.KILLED, FailureCause.UNKNOWN, FailureCause.STALLED, FailureCause.FROZEN}


class ModelPart(StrEnum):
    """The part of a model that an engine may not know."""

    ARCHITECTURE = "architecture"
    TOKENIZER = "tokenizer"


@dataclass(frozen=True)
class Failure:
    """What went wrong: a class for the words and the remedy, one line of detail, and the log lines that prove it.

    ``file``: the file that the engine blames, if it is not the model itself. ``flag``: the flag that it does not
    know, or whose value it refuses. ``unknown_part``: the part of the model that it does not know, and its name there.
    MODEL_CORRUPT rests on a file that this program has read, never on a log.
    """

    cause: FailureCause
    detail: str = ""
    evidence: tuple[str, ...] = ()
    exit: ServerExit | None = field(default=None)
    file: str = ""
    flag: str = ""
    unknown_part: tuple[ModelPart, str] | None = None

    @property
    def evidence_is_incidental(self) -> bool:
        """A signal ended it and no line states why: the lines are only the last ones."""
        number = self.exit.signal_number if self.exit is not None else None
        return self.cause is FailureCause.KILLED or (self.cause is FailureCause.UNKNOWN and number == signal.SIGSEGV)
