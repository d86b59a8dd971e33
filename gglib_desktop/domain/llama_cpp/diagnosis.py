"""From how a server ended and what it logged to the failure behind it."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.llama_cpp.flag_drift import option_with, without_option
from gglib_desktop.domain.llama_cpp.log import flag_named, read_log, says_goodbye, unknown_part
from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig


def diagnose(end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
    """The failure behind a process that ended by itself or was ended by another.

    ``served``: it had been healthy, so the log of its start does not hold the reason.
    """
    reading = read_log(log, served=served)
    cause = reading.cause
    if end.signal_number == signal.SIGILL:
        cause = FailureCause.WRONG_PROCESSOR
    elif (says_goodbye(log) if end.status == 0 else end.was_signalled) and cause is not FailureCause.OUT_OF_MEMORY:
        # By a signal of another process, whether it obeyed or died of it.
        cause = FailureCause.KILLED
    if cause is not reading.cause:
        last = tuple(line.rstrip() for line in log if line.strip())[-EVIDENCE_LINES:]
        return Failure(cause, str(end), last, end)
    evidence = reading.evidence
    return Failure(cause, str(end), evidence, end, reading.file, flag_named(evidence), unknown_part(evidence))


def offending_flag(failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
    """The flag among the extra arguments that a failure is about; empty if unknown."""
    named = option_with(config.extra_args, failure.file, capabilities) if failure.file else failure.flag
    dropped = without_option(config.extra_args, named, capabilities) if named else config.extra_args
    return named if dropped != config.extra_args else ""
