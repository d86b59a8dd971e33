"""The end of a process, for those who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gglib_desktop.domain.servers.failures import ServerExit


class AwaitedExit:
    """A process that ends once. Made on the loop that waits for it."""

    def __init__(self) -> None:
        self._exited: asyncio.Future[ServerExit] = asyncio.get_running_loop().create_future()

    @property
    def has_exited(self) -> bool:
        return self._exited.done()

    @property
    def exit(self) -> ServerExit | None:
        """How it ended; None while it runs, and when nothing waits for it any more."""
        return self._exited.result() if self._exited.done() and not self._exited.cancelled() else None

    def on_exit(self, *callbacks: Callable[[], object]) -> None:
        """Calls back on the loop once the process has ended."""

        def call_back(exited: asyncio.Future[ServerExit]) -> None:
            if not exited.cancelled():
                for callback in callbacks:
                    callback()

        self._exited.add_done_callback(call_back)

    async def wait(self) -> ServerExit:
        return await asyncio.shield(self._exited)

    async def exits_within(self, seconds: float) -> bool:
        await asyncio.wait({self._exited}, timeout=seconds)
        return self.has_exited
