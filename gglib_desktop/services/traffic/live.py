"""The figures of servers at work, as long as they work and the user looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gglib_desktop.domain.servers.states import handle_of
from gglib_desktop.domain.traffic.figures import ServerFigures
from gglib_desktop.ports.machine.memory_probe import GraphicsProbe, MemoryProbe
from gglib_desktop.ports.servers.request_store import RequestStore
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import (
    ServerChanged,
    ServerRemoved,
    ServerSnapshot,
    ServerUsed,
    SupervisorEvent,
)
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.drafting_now import OffTimes, no_off_times
from gglib_desktop.services.traffic.news import CountersRead, FiguresChanged, MachineMemory, RequestsRead
from gglib_desktop.services.traffic.watching import ServerWatch, Watching
from gglib_desktop.tasks import TaskScope


class LiveFigures:
    """Tells of each server what it does, from ``begin`` on: once a second, and at once when its activity changes.

    ``requests`` adds a listener to what is read of the servers' logs; ``store`` has the history of that.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        monitor: ServerMonitor,
        scope: TaskScope,
        requests: Callable[[Callable[[RequestsRead], None]], object],
        store: RequestStore | None = None,
        *,
        off_times: OffTimes = no_off_times,
    ) -> None:
        self._supervisor = supervisor
        self._requests = requests
        self._watching = Watching(monitor, scope, self._tell, store, visible=supervisor.visible, off_times=off_times)
        self._watches: dict[int, ServerWatch] = {}
        self._events: EventSource[FiguresChanged | MachineMemory] = EventSource()
        self.subscribe = self._events.add
        counters: EventSource[CountersRead] = EventSource()
        self._watching.counted = counters.emit
        self.subscribe_to_counters = counters.add

    def begin(self) -> None:
        self._requests(self._on_requests)
        self._supervisor.subscribe(self._on_supervisor)
        for snapshot in self._supervisor.servers:
            self._on_changed(snapshot)

    async def measure(self, memory: MemoryProbe, graphics: GraphicsProbe) -> None:
        """Tells how much memory the computer has."""
        main = memory.read()
        cards = await asyncio.to_thread(graphics.read)
        self._events.emit(
            MachineMemory(
                main.total_bytes if main else None,
                sum(card.memory.total_bytes for card in cards) if cards else None,
            )
        )

    def set_focus(self, server_id: int | None) -> None:
        """The server whose slots the user sees one by one."""
        self._watching.focus = server_id
        if server_id in self._watches:
            self._watches[server_id].wake()

    def set_visible(self, visible: bool) -> None:
        """Whether the user sees the servers; if not, they are asked nothing but once after their work."""
        if visible != self._watching.visible:
            self._watching.visible = visible
            for watch in self._watches.values():
                watch.wake()

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        match event:
            case ServerChanged(snapshot):
                self._on_changed(snapshot)
            case ServerUsed(server_id, usage):
                if server_id in self._watches:
                    self._watches[server_id].used(usage)
            case ServerRemoved(server_id):
                self._end(server_id)

    def _on_changed(self, snapshot: ServerSnapshot) -> None:
        handle = handle_of(snapshot.state)
        watch = self._watches.get(snapshot.id)
        if watch is not None and watch.handle != handle:
            self._end(snapshot.id)
            watch = None
        if handle is None or not snapshot.log_name:
            return
        if watch is None:
            watch = self._watches[snapshot.id] = ServerWatch(snapshot, handle, self._watching)
            if snapshot.adopted:
                self._watching.scope.start(watch.restore(), name="earlier figures")
        if watch.show(snapshot):
            self._share_changed()

    def _on_requests(self, news: RequestsRead) -> None:
        watch = next((each for each in self._watches.values() if each.run == news.run), None)
        if watch is None:
            return
        now, unix_now = asyncio.get_running_loop().time(), time.time()
        for event in news.events:
            # What is read at once has just happened; clocks that differ a little would only move it.
            at = now if news.live else now - max(0.0, unix_now - event.at)
            watch.take(event, at)
        watch.heard()

    def _end(self, server_id: int) -> None:
        watch = self._watches.pop(server_id, None)
        if watch is not None:
            watch.close()
            self._tell(server_id, ServerFigures())
            self._share_changed()

    def _share_changed(self) -> None:
        """What several servers share, as the file of a model, is divided by their number."""
        for watch in self._watches.values():
            watch.memory_changed()

    def _tell(self, server_id: int, figures: ServerFigures) -> None:
        self._events.emit(FiguresChanged(server_id, figures))
