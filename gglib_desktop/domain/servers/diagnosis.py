"""From an error or a model file to the failure behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.errors import (
    ConfigurationError,
    GglibError,
    HealthCheckFailed,
    PortTaken,
    RunnerUnavailable,
    StartFailed,
)
from gglib_desktop.domain.models.model import NO_SUCH_FILE, ModelFile
from gglib_desktop.domain.options.drafting import drafts_otherwise
from gglib_desktop.domain.servers.failures import Failure, FailureCause, ServerExit
from gglib_desktop.domain.servers.server import ServerConfig

_FILE_TELLS = frozenset({FailureCause.UNKNOWN, FailureCause.MODEL_UNREADABLE, FailureCause.COMPANION_REFUSED})
# Why a file could not be examined.
_NOT_OPENED = (NO_SUCH_FILE, "permission to read", "the file cannot be read")
# For a file from another age of the format, which is not damaged.
_OTHER_VERSION = "GGUF version"


class Diagnose(Protocol):
    """Finds the failure behind a process that ended by itself or was ended by another, from its engine's log.

    ``log`` are the last lines. ``served``: it had been healthy, so the log of its start does not hold the reason.
    """

    def __call__(self, end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure: ...


def as_place_says(diagnose: Diagnose) -> Diagnose:
    """The same, where something else than the log tells the reason: the place that memory was, or a lost worker."""

    def explained(end: ServerExit, log: Sequence[str], *, served: bool = False) -> Failure:
        if end.lost_worker:
            return Failure(FailureCause.WORKER_LOST, str(end), (), end)
        failure = diagnose(end, log, served=served)
        return replace(failure, cause=FailureCause.OUT_OF_MEMORY) if end.out_of_memory else failure

    return explained


def failure_of_error(error: GglibError, diagnose: Diagnose) -> Failure:
    """The failure behind an error in a start."""
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
            # The status is missing if another process reaped it; the log still tells.
            end = ServerExit(status, out_of_memory=error.out_of_memory)
            return replace(diagnose(end, error.log_lines), detail=error.summary)
        case StartFailed():
            return Failure(FailureCause.ENGINE_UNUSABLE, error.summary)
        case HealthCheckFailed():
            return Failure(FailureCause.STALLED, str(error))
        case _:
            return Failure(FailureCause.UNKNOWN, str(error))


def file_that_tells(failure: Failure, config: ServerConfig) -> Path | None:
    """The file that may explain a failure better than the log, None if the log is enough."""
    return Path(failure.file or config.model_path) if failure.cause in _FILE_TELLS else None


def explained_by_model(failure: Failure, config: ServerConfig, file: ModelFile) -> Failure:
    """A failure whose log is not enough, with the cause that the file shows, if any.

    A file is called damaged only in this way.
    """
    if file.problem is not None:
        is_sidecar = file.facts is not None and file.facts.sidecar is not None
        cause = failure.cause if is_sidecar else _cause_of_problem(failure.cause, file.problem)
        return replace(failure, cause=cause, detail=file.problem)
    if (
        failure.cause is FailureCause.UNKNOWN
        and config.spec_draft_n_max
        and not drafts_otherwise(config)
        and file.facts is not None
        and file.facts.mtp_layers == 0
    ):
        return replace(failure, cause=FailureCause.MTP_LAYERS_MISSING, detail="the model file has no MTP layers")
    return failure


def _cause_of_problem(cause: FailureCause, problem: str) -> FailureCause:
    if problem.startswith(_OTHER_VERSION):
        return cause
    return FailureCause.MODEL_MISSING if problem.startswith(_NOT_OPENED) else FailureCause.MODEL_CORRUPT


def of_another_file(failure: Failure, config: ServerConfig) -> Failure:
    """The failure. It blames a file by name only if that is not the model itself."""
    return replace(failure, file="") if failure.file and Path(failure.file) == config.model_path else failure
