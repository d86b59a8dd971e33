"""Why a server failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gglib_desktop.domain.servers.exits import ServerExit

EVIDENCE_LINES = 8


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
    WRONG_PROCESSOR = "wrong processor"
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
