"""The failure behind the end of an engine whose log states each reason in one line."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence

from gglib_desktop.domain.servers.failures import EVIDENCE_LINES, Failure, FailureCause, ServerExit


def diagnosed(causes: Mapping[str, FailureCause], end: ServerExit, log: Sequence[str]) -> Failure:
    """``causes``: what a decisive line contains; the more special stand first."""
    lines = [line.rstrip() for line in log if line.strip()]
    last = tuple(lines[-EVIDENCE_LINES:])
    if end.signal_number == signal.SIGILL:
        return Failure(FailureCause.WRONG_PROCESSOR, str(end), last, end)
    if end.was_signalled:
        return Failure(FailureCause.KILLED, str(end), last, end)
    for words, cause in causes.items():
        for line in lines:
            if words in line:
                return Failure(cause, str(end), (line,), end)
    return Failure(FailureCause.UNKNOWN, str(end), last, end)
