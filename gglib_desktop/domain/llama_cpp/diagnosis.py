"""From how a server ended and what it logged to the failure behind it."""

from __future__ import annotations

from gglib_desktop.domain.engine.capabilities import EngineCapabilities
from gglib_desktop.domain.llama_cpp.flag_drift import option_with, without_option
from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.llama_log import flag_named
from gglib_desktop.domain.servers.server import ServerConfig


def offending_flag(failure: Failure, config: ServerConfig, capabilities: EngineCapabilities) -> str:
    """The flag among the extra arguments that a failure is about; empty when it cannot be told."""
    named = option_with(config.extra_args, failure.file, capabilities) if failure.file else flag_named(failure.evidence)
    dropped = without_option(config.extra_args, named, capabilities) if named else config.extra_args
    return named if dropped != config.extra_args else ""
