"""The recorded servers of earlier runners that this one does not run."""

from __future__ import annotations

from collections.abc import Sequence

from gglib_desktop.ports.servers.server_monitor import LostServer, UnreachableServer


class EarlierServers:
    """Those that ended unseen, and those of places that are not known. Filled when the runner opens."""

    def __init__(self) -> None:
        self._lost: list[LostServer] = []
        self._unreachable: list[UnreachableServer] = []

    def take_lost(self) -> Sequence[LostServer]:
        lost, self._lost = self._lost, []
        return lost

    def unreachable(self) -> Sequence[UnreachableServer]:
        return tuple(self._unreachable)
