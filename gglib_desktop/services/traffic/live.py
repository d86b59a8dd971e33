"""The figures of servers at work, as long as they work and the user looks."""

from __future__ import annotations

from gglib_desktop.domain.servers.states import Healthy, handle_of
from gglib_desktop.domain.traffic.figures import MemoryUse, ServerFigures
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import ServerChanged, ServerRemoved, ServerSnapshot, SupervisorEvent
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.news import FiguresChanged, MachineMemory


class LiveFigures:
    """Tells of each server what it does, from ``begin`` on."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._focus: int | None = None
        self._figures: dict[int, ServerFigures] = {}
        self._events: EventSource[FiguresChanged | MachineMemory] = EventSource()
        self.subscribe = self._events.add

    def begin(self) -> None:
        for snapshot in self._supervisor.servers:
            self._show(snapshot)
        self._supervisor.subscribe(self._on_supervisor)

    def set_focus(self, server_id: int | None) -> None:
        """The server whose slots the user sees one by one."""
        self._focus = server_id

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        match event:
            case ServerChanged(snapshot):
                self._show(snapshot)
            case ServerRemoved(server_id):
                self._figures.pop(server_id, None)

    def _show(self, snapshot: ServerSnapshot) -> None:
        figures = _figures_of(snapshot)
        if figures != self._figures.get(snapshot.id):
            self._figures[snapshot.id] = figures
            self._events.emit(FiguresChanged(snapshot.id, figures))


def _figures_of(snapshot: ServerSnapshot) -> ServerFigures:
    if handle_of(snapshot.state) is None:
        return ServerFigures()
    is_idle = snapshot.busy_slots == 0 and isinstance(snapshot.state, Healthy)
    return ServerFigures(
        generation=0.0 if is_idle else None,
        busy_slots=snapshot.busy_slots,
        memory=None if snapshot.rss_bytes is None else MemoryUse(snapshot.rss_bytes),
    )
