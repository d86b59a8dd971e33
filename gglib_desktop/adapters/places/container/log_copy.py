"""The log of a container, copied into the log of its run on this computer."""

from __future__ import annotations

import asyncio
import logging
import os

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.places.container.docker_api import DockerApi, Refused
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
# For the stream of a log to end after its container, which takes Podman a quarter of a second.
_END_S = 0.6


class LogCopy:
    """Goes on where an earlier program ended the copy. ``name``: the container's."""

    def __init__(self, api: DockerApi, name: str, logs: LogFolder, run: str) -> None:
        self._api = api
        self._name = name
        self._logs = logs
        self.run = run
        self._following: asyncio.Task[None] | None = None

    def follow(self, scope: TaskScope) -> None:
        """From now on, unless it is followed already."""
        if self._following is None or self._following.done():
            self._following = scope.start(self._copy(follow=True), name=f"log of {self.run}")

    async def complete(self) -> None:
        """Copies the rest, once the container has ended. Raises: RunnerUnavailable."""
        if self._following is not None:
            # Podman follows some logs for ever.
            await asyncio.wait({self._following}, timeout=_END_S)
            if self._following.done() and not self._following.cancelled() and self._following.exception() is None:
                return
            self._following.cancel()
            await asyncio.wait({self._following})
        await self._copy(follow=False)

    async def _copy(self, *, follow: bool) -> None:
        known = self._logs.size(self.run)

        def write(data: bytes) -> None:
            nonlocal known
            fresh, known = data[known:], max(0, known - len(data))
            if fresh:
                # On the loop, so that it cannot be canceled between a write and the next look at the size.
                with os.fdopen(self._logs.open_for_append(self.run), "ab") as file:
                    file.write(fresh)

        try:
            await self._api.copy_log(self._name, write, follow=follow)
        except Refused as exc:
            _log.info("no log of %s: %s", self.run, exc)
