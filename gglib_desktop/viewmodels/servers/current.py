"""The current server: the one whose panel is open, and that the window's commands are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.attached import AttachedServers
    from gglib_desktop.viewmodels.servers.panel import PanelViewModel
    from gglib_desktop.viewmodels.servers.server import ServerViewModel


class CurrentServer(QObject):
    """At most one panel is open. A server stays the current one when its panel is folded."""

    changed = Signal()
    opened = Signal(object)  # PanelViewModel: a panel was opened on purpose

    def __init__(self, panels: Mapping[int, ServerViewModel], attached: AttachedServers) -> None:
        """``panels`` are servers by their id, in the order of the panels; those of ``attached`` come after them."""
        super().__init__()
        self._own = panels
        self.attached = attached
        self.id: int | None = None
        self.is_open = False
        attached.came.connect(self.come)
        attached.leaving.connect(self.leave)

    @property
    def server(self) -> PanelViewModel | None:
        return None if self.id is None else self._panels.get(self.id)

    @property
    def _panels(self) -> dict[int, PanelViewModel]:
        return {**self._own, **self.attached.panels}

    @Slot(int)
    def open(self, server_id: int) -> None:
        """Opens a panel, which folds the one that was open."""
        server = self._panels.get(server_id)
        if server is not None:
            self._set(server_id, is_open=True)
            self.opened.emit(server)

    def fold(self) -> None:
        self._set(self.id, is_open=False)

    def toggle(self, server_id: int) -> None:
        """Opens a panel that is folded, and folds the open one."""
        if self.is_open and self.id == server_id:
            self.fold()
        else:
            self.open(server_id)

    def step(self, by: int) -> None:
        """Opens the panel that comes ``by`` panels later, from the last one on to the first."""
        ids = list(self._panels)
        if ids:
            place = ids.index(self.id) + by if self.id in ids else min(by, 0)
            self.open(ids[place % len(ids)])

    def open_of_model(self, model_id: int) -> None:
        """Opens the first server of a model, unless the current one is of that model."""
        of_model = [server.id for server in self._panels.values() if server.model_id == model_id]
        if of_model:
            self._set(self.id if self.id in of_model else of_model[0], is_open=True)

    @Slot(int)
    def come(self, server_id: int) -> None:
        """A new server is the current one if there was none."""
        if self.id is None:
            self._set(server_id, is_open=True)

    @Slot(int)
    def leave(self, server_id: int) -> None:
        """A server is about to go: the next one takes its place, or the one before if it was the last."""
        if server_id == self.id:
            ids = list(self._panels)
            place = ids.index(server_id)
            ids.remove(server_id)
            self._set(ids[min(place, len(ids) - 1)] if ids else None, is_open=self.is_open and bool(ids))

    def _set(self, server_id: int | None, *, is_open: bool) -> None:
        if (server_id, is_open) != (self.id, self.is_open):
            self.id, self.is_open = server_id, is_open
            self.changed.emit()
