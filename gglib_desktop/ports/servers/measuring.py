"""What measuring a server needs beside starting and watching it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, runtime_checkable

from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest
from gglib_desktop.ports.servers.process_runner import ProcessRunner
from gglib_desktop.ports.servers.server_monitor import ServerMonitor

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
