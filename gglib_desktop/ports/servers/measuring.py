"""What measuring a server needs beside starting and watching it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor


@dataclass(frozen=True)
class CompletionRequest:
    """Asks for exactly ``tokens`` tokens, sampled as the server was started, but with a fixed seed and no cache."""

    prompt: str
    tokens: int
    seed: int


@dataclass(frozen=True)
class Completion:
    """What came of it. Times are the server's own, in milliseconds; ``draft_n`` tokens were drafted."""

    text: str
    tokens: int
    prompt_n: int
    prompt_ms: float
    gen_ms: float
    draft_n: int = 0
    accepted_n: int = 0


Complete: TypeAlias = Callable[[CompletionRequest], Awaitable[Completion]]
"""Cancelling ends the request. Raises: ChatError, RunnerUnavailable."""


@runtime_checkable
class CompletingDriver(Protocol):
    """What a driver has beside its port if its servers can be measured."""

    async def complete(self, server: ServerAddress, request: CompletionRequest) -> Completion:
        """As ``Complete``."""
        ...


class MeasuringRunner(ProcessRunner, ServerMonitor, Protocol):
    """A runner whose servers can be measured."""

    def completion(self, handle: ProcessHandle) -> Complete | None:
        """None: its engine cannot be asked so, or it was never announced."""
