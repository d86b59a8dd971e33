"""Why a server failed, read from its exit and the lines of its log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gglib_desktop.domain.errors import (
    ConfigurationError,
    GglibError,
    HealthCheckFailed,
    PortTaken,
    RunnerUnavailable,
    StartFailed,
)
from gglib_desktop.domain.exits import ServerExit
from gglib_desktop.domain.model import ModelFile
from gglib_desktop.domain.server import ServerConfig

EVIDENCE_LINES = 8


class FailureCause(StrEnum):
    """The classes of failure that people get their own sentence and remedy for."""

    UNKNOWN_FLAG = "unknown flag"
    BAD_VALUE = "bad value"
    MODEL_MISSING = "model missing"
    MODEL_CORRUPT = "model corrupt"
    ARCHITECTURE_UNSUPPORTED = "architecture unsupported"
    MTP_LAYERS_MISSING = "MTP layers missing"
    PORT_TAKEN = "port taken"
    OUT_OF_MEMORY = "out of memory"
    LIBRARY_MISSING = "library missing"
    ENGINE_UNUSABLE = "engine unusable"
    CONFIGURATION = "configuration"
    RUNNER_UNAVAILABLE = "runner unavailable"
    KILLED = "killed"
    STALLED = "stalled"
    FROZEN = "frozen"
    UNKNOWN = "unknown"

    @property
    def will_repeat(self) -> bool:
        """Trying again without a change is bound to fail the same way."""
        return self not in {FailureCause.KILLED, FailureCause.UNKNOWN, FailureCause.STALLED, FailureCause.FROZEN}


@dataclass(frozen=True)
class Failure:
    """What went wrong: a class for the words and the remedy, one line of detail, and the log lines that prove it."""

    cause: FailureCause
    detail: str = ""
    evidence: tuple[str, ...] = ()
    exit: ServerExit | None = field(default=None)


_NAMED_FLAG = re.compile(r"(?:invalid|unknown) argument: (-\S+)")
_OUT_OF_MEMORY = re.compile(
    r"out of memory|failed to allocate|unable to allocate|cannot allocate memory|std::bad_alloc"
    r"|ErrorOutOfDeviceMemory|OutOfHostMemory|insufficient memory|cudaMalloc failed|mmap failed"
    r"|device memory allocation of size \d+ failed|resource allocation failed"
    r"|failed to initialize the context",
    re.IGNORECASE,
)
# Memory that cannot be swapped out is only faster; the engine does without.
_DONE_WITHOUT = re.compile(r"pinned memory|mlock", re.IGNORECASE)
_WARNING = re.compile(r"^[\d.]+ W |\bwarning:", re.IGNORECASE)
# HUP, INT, QUIT, KILL and TERM; programs send themselves the others.
_SIGNALS_OF_OTHERS = frozenset({1, 2, 3, 9, 15})
_GOODBYE = "cleaning up before exit"
_LOADED = re.compile(r"\bmodel loaded\b|\blistening on http")

# First match wins, so the more special stands above the more general. Patterns are llama.cpp's own words.
_PATTERNS: tuple[tuple[FailureCause, re.Pattern[str]], ...] = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        (
            FailureCause.LIBRARY_MISSING,
            r"error while loading shared libraries|cannot open shared object|library not loaded",
        ),
        (FailureCause.UNKNOWN_FLAG, r"error: (invalid|unknown) argument|argument has been removed|unrecognized option"),
        (
            FailureCause.BAD_VALUE,
            r"error while handling argument|error: .*(expected|invalid) value|unknown value|invalid stoi|stoi$|stof$",
        ),
        (FailureCause.MTP_LAYERS_MISSING, r"MTP requested but model doesn't contain MTP layers"),
        (FailureCause.PORT_TAKEN, r"couldn't bind HTTP server socket|address already in use"),
        (FailureCause.OUT_OF_MEMORY, _OUT_OF_MEMORY.pattern),
        # The engine may end before it has written that line to its log; with memory enough these mean the same.
        (FailureCause.MTP_LAYERS_MISSING, r"failed to create MTP context|failed to measure MTP context memory"),
        (FailureCause.ARCHITECTURE_UNSUPPORTED, r"unknown model architecture|unsupported model architecture"),
        # Not every "no such file": a debugger that writes the backtrace of an abort says it of source files.
        (FailureCause.MODEL_MISSING, r"failed to open GGUF file|failed to open .*no such file or directory"),
        (
            FailureCause.MODEL_CORRUPT,
            (
                r"invalid magic|tensor .* data is not within the file bounds|failed to read|not within file bounds"
                r"|corrupted or incomplete|model is corrupted|unexpectedly reached end of file|gguf_init_from"
                r"|failed to load model|error loading model"
            ),
        ),
    )
)
_INTERESTING = re.compile(r"error|fail|abort|assert|exiting|invalid|what\(\)|terminate called| [EF] ", re.IGNORECASE)


def decisive_lines(log: Sequence[str]) -> tuple[str, ...]:
    """The lines of a log that say why it ended, oldest first: those of the cause, else errors, else the last ones."""
    lines = _still_true([line.rstrip() for line in log if line.strip()])
    matching = [line for line in lines if any(pattern.search(line) for _cause, pattern in _PATTERNS)]
    chosen = matching or [line for line in lines if _INTERESTING.search(line)] or lines
    return tuple(chosen if len(chosen) <= EVIDENCE_LINES else chosen[:1] + chosen[1 - EVIDENCE_LINES :])


def _still_true(lines: Sequence[str]) -> list[str]:
    """Without the complaints about memory that the server outlived."""
    loaded = max((number for number, line in enumerate(lines) if _LOADED.search(line)), default=-1)
    recent = len(lines) - EVIDENCE_LINES

    def is_outlived(number: int, line: str) -> bool:
        return _OUT_OF_MEMORY.search(line) is not None and (
            number < loaded
            or (number < recent and _WARNING.search(line) is not None)
            or _DONE_WITHOUT.search(line) is not None
        )

    return [line for number, line in enumerate(lines) if not is_outlived(number, line)]


def cause_of_log(lines: Sequence[str]) -> FailureCause:
    """The class that the lines of a log speak of, UNKNOWN when none does."""
    for cause, pattern in _PATTERNS:
        if any(pattern.search(line) for line in lines):
            return cause
    return FailureCause.UNKNOWN


def failure_of_exit(end: ServerExit, log: Sequence[str]) -> Failure:
    """The failure behind a process that ended by itself or was ended by somebody else."""
    evidence = decisive_lines(log)
    cause = cause_of_log(evidence)
    if _was_told(end, log) and cause is not FailureCause.OUT_OF_MEMORY:
        cause = FailureCause.KILLED
        evidence = tuple(line.rstrip() for line in log if line.strip())[-EVIDENCE_LINES:]
    return Failure(cause, str(end), evidence, end)


def _was_told(end: ServerExit, log: Sequence[str]) -> bool:
    """Whether a signal of somebody's ended it, be it that it obeyed: a server never says goodbye by itself."""
    if end.status == 0:
        return any(_GOODBYE in line for line in log[-EVIDENCE_LINES:])
    return end.signal_number in _SIGNALS_OF_OTHERS


def failure_of_error(error: GglibError) -> Failure:
    """The failure behind an error that a start raised."""
    match error:
        case PortTaken():
            return Failure(FailureCause.PORT_TAKEN, str(error))
        case ConfigurationError(field="engine"):
            named = f"{error.value}: " if error.value is not None else ""
            return Failure(FailureCause.ENGINE_UNUSABLE, named + error.reason)
        case ConfigurationError(field="model_path"):
            return Failure(FailureCause.MODEL_MISSING, str(error))
        case ConfigurationError():
            return Failure(FailureCause.CONFIGURATION, str(error))
        case RunnerUnavailable():
            return Failure(FailureCause.RUNNER_UNAVAILABLE, str(error))
        case StartFailed(exit_status=status) if status is not None or error.log_lines:
            # Without a status where somebody else reaped it; its log tells all the same.
            return replace(failure_of_exit(ServerExit(status), error.log_lines), detail=error.summary)
        case StartFailed():
            return Failure(FailureCause.ENGINE_UNUSABLE, error.summary)
        case HealthCheckFailed():
            return Failure(FailureCause.STALLED, str(error))
        case _:
            return Failure(FailureCause.UNKNOWN, str(error))


# Causes of which the model file may know more than the log.
MODEL_TELLS = frozenset({FailureCause.UNKNOWN, FailureCause.MODEL_CORRUPT})


def explained_by_model(failure: Failure, config: ServerConfig, file: ModelFile) -> Failure:
    """A failure whose log names no cause, with the one that the model file tells of, if it tells of any; and one of the
    file with what exactly is wrong with it.
    """
    if failure.cause not in MODEL_TELLS:
        return failure
    if file.problem is not None:
        return replace(failure, cause=FailureCause.MODEL_CORRUPT, detail=file.problem)
    if (
        failure.cause is FailureCause.UNKNOWN
        and config.spec_draft_n_max
        and file.facts is not None
        and file.facts.mtp_layers == 0
    ):
        return replace(failure, cause=FailureCause.MTP_LAYERS_MISSING, detail="the model file has no MTP layers")
    return failure


def unknown_flag(failure: Failure) -> str:
    """The flag that the engine said it does not know; empty when it named none."""
    return next((found[1] for line in failure.evidence if (found := _NAMED_FLAG.search(line))), "")
