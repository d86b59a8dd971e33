"""The port to servers on the runner's computer that other programs started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.server import ProcessHandle


class ForeignServers(Protocol):
    """Finds them, takes one over or ends one: always the one process that was chosen, never one of its name."""

    async def list_foreign(self) -> Sequence[ForeignServer]:
        """All of them, oldest first, without the runner's own servers. Raises: RunnerUnavailable."""

    async def adopt(
        self, server: ForeignServer, *, model_id: int | None = None, model_name: str | None = None
    ) -> ProcessHandle:
        """From now on it is one of the runner's servers, also for later runners over the same data directory.

        ``model_id`` and ``model_name`` are the library's; without them the server gets a negative id of its own.
        Raises: NotRunning when it is gone, ConfigurationError for ``port`` when it cannot be reached as our servers
        are, RunnerUnavailable when it is not ours to signal.
        """

    async def stop_foreign(self, server: ForeignServer) -> None:
        """Ends that one process, politely first. Returns when it is gone.

        Raises: NotRunning, StopFailed, RunnerUnavailable when it is not ours to signal.
        """
