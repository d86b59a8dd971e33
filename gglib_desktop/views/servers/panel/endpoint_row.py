"""The line of a server's panel with its endpoint, and the buttons beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel

_COPIED_MS = 1500


class EndpointRow(QWidget):
    """``copy_key_button`` has its place elsewhere in the panel."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._endpoint = CopyableLabel(self, Qt.TextElideMode.ElideMiddle)
        self._endpoint.setObjectName("endpoint")
        self._kill = push_button("kill", self.tr("Kill now"), self, icon_name="warning")
        self._copy = push_button("copyEndpoint", self.tr("Copy endpoint"), self, icon_name="copy")
        self.copy_key_button = push_button("copyKey", self.tr("Copy key"), self, icon_name="copy")
        self._restart = push_button("restart", self.tr("Restart"), self, icon_name="restart")
        self._dismiss = push_button("dismiss", self.tr("Dismiss"), self, icon_name="dismiss")
        for button in (self._copy, self.copy_key_button):
            # The text changes for a moment; the width does not.
            button.setMinimumWidth(button.sizeHint().width())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._endpoint, 1)
        for button in (self._kill, self._copy, self._restart, self._dismiss):
            row.addWidget(button)
        self._kill.clicked.connect(server.kill.trigger)
        self._copy.clicked.connect(self.copy_endpoint)
        self.copy_key_button.clicked.connect(self.copy_key)
        self._restart.clicked.connect(server.options.restart.trigger)
        self._dismiss.clicked.connect(server.dismiss)

    def show_state(self, state: ServerPanelState) -> None:
        stops = isinstance(state.state, Stopping)
        self._endpoint.setText(state.endpoint)
        self._endpoint.setAccessibleName(f"Endpoint: {state.endpoint or 'none'}")
        self._kill.setVisible(stops and state.handle is not None)
        self._copy.setEnabled(state.can_answer)
        self._restart.setEnabled(not stops)
        self._dismiss.setEnabled(not state.is_live)

    @Slot()
    def copy_endpoint(self) -> None:
        self._put(self._server.state.endpoint, self._copy)

    @Slot()
    def copy_key(self) -> None:
        key = self._server.api_key
        if key is not None:
            self._put(key, self.copy_key_button)

    def _put(self, text: str, button: QPushButton) -> None:
        QGuiApplication.clipboard().setText(text)
        button.setText(self.tr("Copied"))
        QTimer.singleShot(_COPIED_MS, button, self._say_copy_again)

    @Slot()
    def _say_copy_again(self) -> None:
        for button in (self._copy, self.copy_key_button):
            button.setText(button.accessibleName())
