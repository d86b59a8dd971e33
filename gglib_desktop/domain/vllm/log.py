"""Why vLLM ended, by its log."""

from __future__ import annotations

from collections.abc import Sequence

from gglib_desktop.domain.openai.log import diagnosed
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit

_CAUSES = {
    "vllm: error: unrecognized arguments": FailureCause.UNKNOWN_FLAG,
    "OutOfMemoryError": FailureCause.OUT_OF_MEMORY,
    "address already in use": FailureCause.PORT_TAKEN,
    "HFValidationError": FailureCause.MODEL_MISSING,
    "are not supported for now": FailureCause.MODEL_UNSUPPORTED,
    "error while loading shared libraries": FailureCause.LIBRARY_MISSING,
    "ModuleNotFoundError": FailureCause.LIBRARY_MISSING,
}


def diagnose(end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:  # noqa: ARG001  # nothing repeats
    """As ``EngineDriver.diagnose``."""
    return diagnosed(_CAUSES, end, log)
