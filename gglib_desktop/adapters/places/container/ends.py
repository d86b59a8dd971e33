"""Hears from container engines when one of our containers ends, and notices when they tell nothing any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from gglib_desktop.adapters.places.container import creation
from gglib_desktop.adapters.places.container.docker_api import DockerApi, Refused
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.ports.servers.place import Outage
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
_AGAIN_S = 2.0


class Ends:
    """``look`` is called when a container may have ended, also now and then while an engine is silent."""

    def __init__(self, data_dir: Path, scope: TaskScope, look: Callable[[], object]) -> None:
        self._label = creation.own_label(data_dir)
        self._scope = scope
        self._look = look
        self._listening: set[Path] = set()
        self._outages: dict[Path, Outage] = {}

    @property
    def outage(self) -> Outage | None:
        """Of the engine that has been silent for longest."""
        return next(iter(self._outages.values()), None)

    def listen(self, api: DockerApi) -> None:
        """From now on, unless that engine is listened to already."""
        if api.socket not in self._listening:
            self._listening.add(api.socket)
            self._scope.start(self._listen(api), name=f"ends told by {api.socket}")

    def take(self, api: DockerApi, trouble: RunnerUnavailable | None) -> None:
        """Whether an engine has answered a question: one that hangs goes on listening, and tells nothing."""
        if trouble is None:
            self._outages.pop(api.socket, None)
        else:
            self._outages.setdefault(api.socket, Outage(time.time(), str(trouble)))

    async def _listen(self, api: DockerApi) -> None:
        def hear() -> None:
            self.take(api, None)
            self._look()

        while True:
            try:
                await api.hear_of_ends(self._label, hear)
            except RunnerUnavailable as exc:
                _log.info("%s tells of no ends: %s", api.socket, exc)
                self.take(api, exc)
            except Refused as exc:
                _log.info("%s tells of no ends: %s", api.socket, exc)
            await asyncio.sleep(_AGAIN_S)
            self._look()
