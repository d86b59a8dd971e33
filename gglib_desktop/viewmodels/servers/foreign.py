"""The llama-servers of other programs: what the window shows about them, and what the user can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal, Slot

from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel, reported


@dataclass(frozen=True)
class ForeignRow:
    """One server. ``busy``: it is being taken over or ended."""

    server: ForeignServer
    busy: bool = False

    @property
    def key(self) -> tuple[int, str]:
        return self.server.pid, self.server.identity

    @property
    def title(self) -> str:
        """Its model's file name, else the command."""
        return self.server.model_path.name if self.server.model_path else self.server.command_line


class ForeignViewModel(ViewModel):
    """Shows what a ForeignWatch finds."""

    rowsChanged = Signal(object)  # tuple[ForeignRow, ...]
    adopted = Signal(int)  # the id of the server that it is from now on
    noneFound = Signal()
    found = Signal()

    def __init__(
        self, watch: ForeignWatch, scope: TaskScope, raise_window: Callable[[Path], bool] = lambda _data_dir: False
    ) -> None:
        """``raise_window`` shows the window of the program over that data directory; False if it does not answer.

        It blocks.
        """
        super().__init__(scope)
        self._raise_window = raise_window
        self._watch = watch
        self._busy: set[tuple[int, str]] = set()
        self._rows: tuple[ForeignRow, ...] = ()
        self._unsubscribe = watch.subscribe(self._on_servers)
        self.begin = watch.begin
        self.set_visible = watch.set_visible

    @property
    def rows(self) -> tuple[ForeignRow, ...]:
        """Oldest first."""
        return self._rows

    @Slot()
    def look(self) -> None:
        """Looks now, including ignored ones, and returns whether there are any."""
        self.run(self._look(), "look for foreign servers")

    def adopt(self, server: ForeignServer) -> None:
        self._act(server, self._adopt, "adopt")

    def stop(self, server: ForeignServer) -> None:
        """Ends it; the user has already confirmed."""
        self._act(server, self._watch.stop, "stop")

    def show_keeper(self, server: ForeignServer) -> None:
        """Raises the window of the GGLib Desktop that looks after it."""
        self._act(server, self._show_keeper, "show who looks after")

    def ignore(self, server: ForeignServer) -> None:
        self._watch.ignore(server)

    def close(self) -> None:
        self._unsubscribe()

    def _act(self, server: ForeignServer, action: Callable[[ForeignServer], Awaitable[object]], name: str) -> None:
        key = (server.pid, server.identity)
        if key in self._busy:
            return
        self._set_busy(self._busy | {key})
        task = self._scope.start(reported(action(server), self.failed), name=f"{name} process {server.pid}")
        task.add_done_callback(lambda _task: self._set_busy(self._busy - {key}))

    async def _adopt(self, server: ForeignServer) -> None:
        self.adopted.emit(await self._watch.adopt(server))

    async def _show_keeper(self, server: ForeignServer) -> None:
        if server.kept_by is not None and not await asyncio.to_thread(self._raise_window, server.kept_by):
            await self._watch.look()  # it may just have ended
            raise RunnerUnavailable("the other GGLib Desktop does not answer")

    async def _look(self) -> None:
        found = await self._watch.look(at_all=True)
        (self.found if found else self.noneFound).emit()

    def _on_servers(self, _servers: tuple[ForeignServer, ...]) -> None:
        self._render()

    def _set_busy(self, busy: set[tuple[int, str]]) -> None:
        self._busy = busy
        self._render()

    def _render(self) -> None:
        rows = tuple(ForeignRow(server, (server.pid, server.identity) in self._busy) for server in self._watch.servers)
        if rows != self._rows:
            self._rows = rows
            self.rowsChanged.emit(rows)
