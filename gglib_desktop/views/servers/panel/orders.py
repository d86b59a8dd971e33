"""The orders of a server's panel that end its work. While the server is busy, the user is asked first."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from gglib_desktop.viewmodels.commands import AsyncCommand
from gglib_desktop.viewmodels.servers.server import ServerViewModel
from gglib_desktop.views.widgets.ask import ask


class Orders(QObject):
    """Belongs to a panel. One question at a time."""

    def __init__(self, server: ServerViewModel, panel: QWidget) -> None:
        super().__init__(panel)
        self._server = server
        self._panel = panel
        self._asks = False

    @Slot()
    def stop(self) -> None:
        self._give(self._server.stop, restarts=False)

    @Slot()
    def restart(self) -> None:
        """Also starts a server that has ended."""
        self._give(self._server.options.restart, restarts=True)

    @Slot()
    def use_saved(self) -> None:
        """Restarts it with the launch defaults."""
        self._give(self._server.options.use_saved, restarts=True)

    def _give(self, order: AsyncCommand, *, restarts: bool) -> None:
        if not self._server.state.running_requests:
            order.trigger()
        elif not self._asks:
            self._asks = True
            self._server.run(self._give_if_meant(order, restarts=restarts), "ask about a busy server")

    async def _give_if_meant(self, order: AsyncCommand, *, restarts: bool) -> None:
        from gglib_desktop.views.servers.panel.busy_dialog import StopBusyDialog

        state = self._server.state
        try:
            dialog = StopBusyDialog(state.title, state.running_requests, self._panel.window(), restarts=restarts)
            if await ask(dialog) == QDialog.DialogCode.Accepted:
                order.trigger()
        finally:
            self._asks = False
