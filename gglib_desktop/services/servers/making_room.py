"""Servers that are stopped for a while, so that something else has their memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gglib_desktop.domain.servers.server import OWN_PLACES
from gglib_desktop.domain.servers.states import is_live
from gglib_desktop.services.servers.snapshot import ServerSnapshot
from gglib_desktop.services.servers.supervisor import Supervisor


class MakingRoom:
    """For the servers that run on this computer."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    @property
    def names(self) -> tuple[str, ...]:
        """As their panels call them."""
        return tuple(_title(server) for server in self._running())

    async def make(self) -> Sequence[int]:
        """Stops them, and returns their ids. Raises: StopFailed, after it has started those again that it stopped."""
        ids = [server.id for server in self._running()]
        results = await asyncio.gather(*map(self._supervisor.stop, ids), return_exceptions=True)
        failures = [each for each in results if isinstance(each, BaseException)]
        if failures:
            self.give_back([each for each, result in zip(ids, results, strict=True) if result is None])
            raise failures[0]
        return ids

    def give_back(self, servers: Sequence[int]) -> None:
        """Starts them again, but for those that the user has started or dismissed meanwhile."""
        ended = {each.id for each in self._supervisor.servers if not is_live(each.state)}
        for each in servers:
            if each in ended:
                self._supervisor.restart(each)

    def _running(self) -> list[ServerSnapshot]:
        return [each for each in self._supervisor.servers if is_live(each.state) and each.config.place in OWN_PLACES]


def _title(server: ServerSnapshot) -> str:
    name = server.config.model_name
    return name if server.number == 1 else f"{name} ({server.number})"
