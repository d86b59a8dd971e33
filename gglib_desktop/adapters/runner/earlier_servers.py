"""The recorded servers of earlier runners that this one does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.servers.server_monitor import LostServer, UnreachableServer


class EarlierServers:
    """Those that ended unseen, and those of places that are not known, or did not answer yet."""

    def __init__(self) -> None:
        self._lost: list[LostServer] = []
        self._unreachable: dict[str, UnreachableServer] = {}
        self._listeners: list[Callable[[], object]] = []
        # Where the logs of runs lie that are not announced.
        self._log_places: dict[str, str] = {}

    def take_lost(self) -> Sequence[LostServer]:
        lost, self._lost = self._lost, []
        return lost

    def unreachable(self) -> Sequence[UnreachableServer]:
        return tuple(self._unreachable.values())

    def on_found(self, callback: Callable[[], object]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _tell_found(self) -> None:
        for callback in tuple(self._listeners):
            callback()

    def _cannot_reach(self, record: ServerRecord, reason: str = "") -> None:
        """Without a reason it stays as it is."""
        self._log_places[record.run] = record.place
        if reason or record.run not in self._unreachable:
            config = record.config.replace(place=record.place)
            self._unreachable[record.run] = UnreachableServer(config, record.command_line, record.run, reason)
