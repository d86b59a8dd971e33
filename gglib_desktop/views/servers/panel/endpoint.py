"""The lines of a server's panel about where it is reached and who can reach it, with their buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.theme import state_colour
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel, ElidedLabel
from gglib_desktop.views.widgets.labels.marked import MarkedLabel

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


class ExposedMark(MarkedLabel):
    """Says so in red; its meaning is beside it, in its tool tip and in its description."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("exposed")
        self.setText(self.tr("Exposed"))
        self.setAccessibleName(self.text())

    @override
    def mark(self) -> tuple[str, QColor]:
        return "exposed", state_colour("Failed", self.palette())


class AccessLine(QWidget):
    """Hidden if only this computer reaches the server and no key is needed; exposed ones show it when folded."""

    def __init__(self, copy_key: QPushButton, parent: QWidget) -> None:
        super().__init__(parent)
        self._mark = ExposedMark(self)
        self._text = ElidedLabel(self)
        self._text.setObjectName("access")
        self._copy_key = copy_key
        self._state: ServerPanelState | None = None
        self._folded = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._mark)
        layout.addWidget(self._text, 1)
        layout.addWidget(copy_key)

    def set_folded(self, folded: bool) -> None:
        self._folded = folded
        self._render()

    def show_state(self, state: ServerPanelState) -> None:
        self._state = state
        self._render()

    def _render(self) -> None:
        state = self._state
        if state is None:
            return
        keyed = bool(state.asks_for_key) and state.can_answer
        description = self._description(state)
        self._mark.setVisible(state.exposed)
        self._mark.setToolTip(description)
        self._mark.setAccessibleDescription(description)
        self._text.setText(self._short_text(state))
        self._copy_key.setVisible(state.key_is_known and not self._folded)
        self.setVisible(state.exposed or (keyed and not self._folded))

    def _short_text(self, state: ServerPanelState) -> str:
        where = ", ".join(state.other_endpoints[:1])
        key = ""
        if state.asks_for_key is not None:
            key = self.tr("key required") if state.asks_for_key else self.tr("no key required")
        return " · ".join(text for text in (where, key) if text)

    def _description(self, state: ServerPanelState) -> str:
        reached = self.tr("Other computers can reach this server.")
        if state.other_endpoints:
            reached = self.tr("Other computers can reach this server at {urls}.").format(
                urls=", ".join(state.other_endpoints)
            )
        if state.asks_for_key is None:
            return reached
        if state.asks_for_key:
            return f"{reached} {self.tr('It answers only who shows the key.')}"
        return f"{reached} {self.tr('It asks nobody for a key; a restart from here makes it ask.')}"
