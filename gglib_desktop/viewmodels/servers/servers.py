"""All servers: their panels, which come and go, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.servers.router.kind import is_router
from gglib_desktop.domain.servers.states import is_live
from gglib_desktop.services.launch.launcher import Launcher
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.snapshot import ServerChanged, ServerRemoved, ServersAdopted, SupervisorEvent
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel, reported
from gglib_desktop.viewmodels.servers.attached import AttachedServers
from gglib_desktop.viewmodels.servers.current import CurrentServer

if TYPE_CHECKING:
    from gglib_desktop.ports.machine.text_files import TextFiles
    from gglib_desktop.ports.servers.request_store import RequestStore
    from gglib_desktop.services.servers.snapshot import ServerSnapshot
    from gglib_desktop.services.traffic.live import LiveFigures
    from gglib_desktop.services.traffic.news import FiguresChanged, MachineMemory, RecordingNews
    from gglib_desktop.services.traffic.recording import RequestRecorder
    from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
    from gglib_desktop.viewmodels.servers.server import ServerViewModel


@dataclass(frozen=True)
class ServerTotals:
    """How many servers live, and what they use of this computer's memory and graphics memory, in bytes.

    None: not known, as for servers that have just been started. What they share is counted once where the system tells.
    """

    running: int = 0
    memory: int | None = None
    memory_total: int | None = None
    graphics: int | None = None
    graphics_total: int | None = None


@dataclass(frozen=True)
class Work:
    """What tells of the servers at work: what they do now, and the history of their requests."""

    live: LiveFigures
    recorder: RequestRecorder
    store: RequestStore
    files: TextFiles


class ServersViewModel(ViewModel):
    """One view-model for each panel, by the server's id in ``panels``."""

    added = Signal(object)  # ServerViewModel
    removed = Signal(int)  # its id
    reconnected = Signal(int)  # how many servers an earlier session left running
    totalsChanged = Signal(object)  # ServerTotals

    def __init__(
        self, supervisor: Supervisor, launcher: Launcher, library: Library, settings: SettingsKeeper, scope: TaskScope
    ) -> None:
        super().__init__(scope)
        self._supervisor = supervisor
        self._launcher = launcher
        self._totals = ServerTotals()
        self._adopting: asyncio.Task[None] | None = None
        self._work: Work | None = None
        self.panels: dict[int, ServerViewModel] = {}
        self.current = CurrentServer(self.panels, AttachedServers(scope))
        self.attached.failed.connect(self.failed)
        self.current.changed.connect(self._show_focus)
        self._unsubscribe = [
            supervisor.subscribe(self._on_supervisor),
            launcher.engines.subscribe(self._on_engine),
            library.saved.add(self._on_saved),
            settings.subscribe(self._on_settings),
        ]

    @property
    def totals(self) -> ServerTotals:
        return self._totals

    @property
    def attached(self) -> AttachedServers:
        """Those that somebody else runs."""
        return self.current.attached

    def running_names(self) -> tuple[str, ...]:
        """The titles of the panels whose servers live, in the order of the panels."""
        states = (server.state for server in self.panels.values())
        return tuple(state.title for state in states if state.is_live)

    def stop_all(self) -> None:
        self.run(self._supervisor.stop_all(), "stop all")

    def adopt(self) -> None:
        """Begins to take over the servers that an earlier session left; ``adopted`` waits for that."""
        self._adopting = self._scope.start(reported(self._supervisor.adopt(), self.failed), name="adopt")

    async def adopted(self) -> None:
        """Returns when the servers of an earlier session, if any, have been taken over."""
        if self._adopting is not None:
            await asyncio.wait({self._adopting})

    def read_again(self) -> None:
        """Saved options may have changed."""
        for server in self.panels.values():
            server.options.read_again()

    def follow(self, work: Work) -> None:
        """From now on panels show what their servers do, and new ones what they did."""
        self._work = work
        self._unsubscribe.append(work.live.subscribe(self._on_figures))
        self._unsubscribe.append(work.recorder.subscribe_to_news(self._on_recording))
        self._show_focus()

    def set_visible(self, visible: bool) -> None:
        """Asks servers less often while the user cannot see them."""
        self._supervisor.visible = visible
        if self._work is not None:
            self._work.live.set_visible(visible)
        self.attached.set_visible(visible)

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self.attached.close()
        for server in self.panels.values():
            server.close()

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        match event:
            case ServerChanged(snapshot):
                known = self.panels.get(snapshot.id)
                if known is not None:
                    known.show(snapshot)
                else:
                    server = self._panel_of(snapshot)
                    server.failed.connect(self.failed)
                    self.panels[snapshot.id] = server
                    self.added.emit(server)
                    self.current.come(server.id)
                self._count()
            case ServerRemoved(server_id):
                self.current.leave(server_id)
                self.panels.pop(server_id).close()
                self.removed.emit(server_id)
                self._count()
            case ServersAdopted(count) if count:
                self.reconnected.emit(count)

    def _panel_of(self, snapshot: ServerSnapshot) -> ServerViewModel:
        parts = (snapshot, self._supervisor, self._launcher, self._scope)
        if is_router(snapshot.config):
            from gglib_desktop.viewmodels.servers.router.server import RouterViewModel

            return RouterViewModel(*parts)
        from gglib_desktop.viewmodels.servers.server import ServerViewModel

        return ServerViewModel(*parts, requests=self._requests_of(snapshot))

    def _requests_of(self, snapshot: ServerSnapshot) -> RequestsViewModel | None:
        work, config = self._work, snapshot.config
        if work is None:
            return None
        from gglib_desktop.viewmodels.servers.requests import RequestsViewModel

        def tells() -> bool:
            known = self._supervisor.server(snapshot.id).config
            return self._supervisor.monitor.requests_reader(known, began_at=0.0) is not None

        requests = RequestsViewModel(
            work.store, work.files, self._scope, model_id=config.model_id, run=snapshot.log_name, tells=tells
        )
        requests.failed.connect(self.failed)
        return requests

    def _on_recording(self, news: RecordingNews) -> None:
        for server in self.panels.values():
            if server.requests is not None:
                server.requests.take(news)

    def _on_figures(self, event: FiguresChanged | MachineMemory) -> None:
        from gglib_desktop.services.traffic.news import FiguresChanged, MachineMemory

        match event:
            case FiguresChanged(server_id, figures):
                server = self.panels.get(server_id)
                if server is not None:
                    server.figures.show(figures)
                self._count()
            case MachineMemory(total, graphics):
                self._tell(replace(self._totals, memory_total=total, graphics_total=graphics))

    @Slot()
    def _show_focus(self) -> None:
        """Of the server whose panel is open, the user sees more than one line."""
        if self._work is not None:
            self._work.live.set_focus(self.current.id if self.current.is_open else None)

    def _count(self) -> None:
        live = sum(is_live(server.state) for server in self._supervisor.servers)
        launcher = self._launcher
        here = [each for each in self.panels.values() if launcher.takes_memory_here(each.place_id)]
        memory = [each.figures.state.memory for each in here if each.figures.state.memory]
        used = _sum(use.resident if use.proportional is None else use.proportional for use in memory)
        self._tell(replace(self._totals, running=live, memory=used, graphics=_sum(use.graphics for use in memory)))

    def _tell(self, totals: ServerTotals) -> None:
        if totals != self._totals:
            self._totals = totals
            self.totalsChanged.emit(totals)

    def _on_saved(self, model_id: int) -> None:
        for server in self.panels.values():
            if server.model_id == model_id:
                server.options.read_again()

    def _on_engine(self, _news: None) -> None:
        for server in self.panels.values():
            server.options.read_again()

    def _on_settings(self, _settings: AppSettings) -> None:
        # The choice for all models counts if a model has none.
        self.read_again()


def _sum(sizes: Iterable[int | None]) -> int | None:
    """Of those that are known; None where none is."""
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None
