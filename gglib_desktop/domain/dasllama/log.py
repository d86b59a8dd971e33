"""Why dasllama ended, by its log."""

from __future__ import annotations

from collections.abc import Sequence

from gglib_desktop.domain.openai.log import diagnosed
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit

_CAUSES = {
    "could not start on port": FailureCause.PORT_TAKEN,
    "unsupported architecture": FailureCause.MODEL_UNSUPPORTED,
    "is not supported": FailureCause.MODEL_UNSUPPORTED,
    "bad magic": FailureCause.MODEL_UNREADABLE,
    "EXCEPTION: array index out of range": FailureCause.MODEL_UNREADABLE,
    "error while loading shared libraries": FailureCause.LIBRARY_MISSING,
    "version `GLIBC_": FailureCause.LIBRARY_MISSING,
}


def diagnose(end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
    """As ``EngineDriver.diagnose``: what it wrote while it loaded explains no later end."""
    return diagnosed({} if served else _CAUSES, end, log)
