"""The port behind which servers run: on this computer, simulated, or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth


class ProcessRunner(Protocol):
    """Starts, stops and observes model servers, wherever they run. Callers state intent; adapters choose flags.

    The first call takes the data directory's lock. Raises: RunnerUnavailable, from every method, when another
    program holds it.
    """

    async def start(self, config: ServerConfig) -> ProcessHandle:
        """Starts a server and returns once its own port has answered anything, "still loading" included.

        Two starts of one model are two servers. Cancelling leaves no process, record or port behind.
        Raises: ConfigurationError, ResourceExhausted, StartFailed when it ended before it answered.
        """

    async def stop(self, handle: ProcessHandle) -> None:
        """Ends a server and returns when the process is gone.

        Raises: NotRunning when it was gone already, StopFailed when it survived every signal, RunnerUnavailable while
        its place cannot be reached.
        """

    async def is_running(self, handle: ProcessHandle) -> bool:
        """Whether this very process still runs; a process that merely has its pid does not count.

        Raises: RunnerUnavailable while its place cannot be reached.
        """

    async def health(self, handle: ProcessHandle) -> ServerHealth:
        """Asks the server how it is. Trouble on the way is an unhealthy answer, never an error.

        Raises: NotRunning when the process is gone.
        """

    async def list_running(self) -> Sequence[ProcessHandle]:
        """All servers that run, those that an earlier runner over the same data directory left included.

        While a place cannot be reached, those that last ran there.
        """
