"""The row of an open panel about where its server is reached and who can reach it, with its buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.panel.orders import Orders
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel, ElidedLabel

_COPIED_MS = 1500


class EndpointRow(QWidget):
    """Only there for a server that runs: one that has ended is started on its line."""

    def __init__(self, server: ServerViewModel, orders: Orders, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._endpoint = CopyableLabel(self, Qt.TextElideMode.ElideMiddle)
        self._endpoint.setObjectName("endpoint")
        self._access = ElidedLabel(self)
        self._access.setObjectName("access")
        self._copy_key = push_button("copyKey", self.tr("Copy key"), self, icon_name="copy")
        # The text changes for a moment; the width does not.
        self._copy_key.setMinimumWidth(self._copy_key.sizeHint().width())
        self._kill = push_button("kill", self.tr("Kill now"), self, icon_name="warning")
        self._restart = push_button("restart", self.tr("Restart"), self, icon_name="restart")
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._say_copy_again)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._endpoint, 1)
        row.addWidget(self._access, 1)
        for button in (self._copy_key, self._kill, self._restart):
            row.addWidget(button)
        self._copy_key.clicked.connect(self.copy_key)
        self._kill.clicked.connect(server.kill.trigger)
        self._restart.clicked.connect(orders.restart)

    def show_state(self, state: ServerPanelState) -> None:
        stops = isinstance(state.state, Stopping)
        self._endpoint.setText(state.endpoint)
        self._endpoint.setAccessibleName(f"Endpoint: {state.endpoint or 'none'}")
        access = _access_text(self, state)
        self._access.setText(access)
        self._access.setVisible(bool(access))
        self._copy_key.setVisible(state.key_is_known)
        self._kill.setVisible(stops and state.handle is not None)
        self._restart.setVisible(state.is_live)
        self.setVisible(state.is_live)
        self._restart.setEnabled(not stops)

    @Slot()
    def copy_key(self) -> None:
        key = self._server.api_key
        if key is not None:
            QGuiApplication.clipboard().setText(key)
            self._copy_key.setText(self.tr("Copied"))
            self._say_again.start()

    @Slot()
    def _say_copy_again(self) -> None:
        self._copy_key.setText(self._copy_key.accessibleName())


def _access_text(row: QWidget, state: ServerPanelState) -> str:
    """Empty if only this computer reaches the server and it asks for no key."""
    if not state.exposed and not (state.asks_for_key and state.can_answer):
        return ""
    key = ""
    if state.asks_for_key is not None:
        key = row.tr("key required") if state.asks_for_key else row.tr("no key required")
    return " · ".join(text for text in (*state.other_endpoints[:1], key) if text)
