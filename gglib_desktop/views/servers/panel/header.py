"""The top line of a server's panel."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gglib_desktop.domain.servers.states import Stopping
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.servers.panel.state_badge import StateBadge
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import ElidedLabel
from gglib_desktop.views.widgets.labels.fixed_width import FixedWidthLabel

_NAME_CHARACTERS = 6


class Header(QWidget):
    """The part that stays when the panel is folded: name, health, port, time, and the buttons that fold and stop."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.fold = QToolButton(self)
        self.fold.setObjectName("fold")
        self.fold.setAutoRaise(True)
        # Models with the same name differ at its end.
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._name.setObjectName("serverName")
        font = self._name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.1)
        self._name.setFont(font)
        self._badge = StateBadge(server.state.state, self)
        self._port = QLabel(self)
        self._port.setObjectName("port")
        self._time = FixedWidthLabel(self.tr("up {time}").format(time="59 min"), self)
        self._time.setObjectName("time")
        self._stop = push_button("stop", self.tr("Stop"), self, icon_name="stop")
        self._stop.clicked.connect(server.stop.trigger)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold)
        layout.addWidget(self._name, 1)
        for widget in (self._badge, self._port, self._time, self._stop):
            layout.addWidget(widget)
        # Texts of changing length must not move their neighbors.
        metrics = self._port.fontMetrics()
        self._port.setMinimumWidth(metrics.horizontalAdvance(self.tr("Port {port}").format(port=65535)) + 4)
        self._name.setMinimumWidth(metrics.averageCharWidth() * _NAME_CHARACTERS)

    def show_state(self, state: ServerPanelState) -> None:
        self._name.setText(state.title)
        self._badge.show_state(state.state)
        port = "—" if state.port is None else str(state.port)
        self._port.setText(self.tr("Port {port}").format(port=port))
        self._port.setAccessibleName(f"Port: {port}")
        self._stop.setEnabled(state.is_live and not isinstance(state.state, Stopping))

    def show_time(self, text: str) -> None:
        if text != self._time.text():
            self._time.setText(text)

    def show_folded(self, folded: bool) -> None:
        self.fold.setIcon(icon("fold-closed" if folded else "fold-open"))
        name = self.tr("Unfold") if folded else self.tr("Fold")
        self.fold.setAccessibleName(name)
        self.fold.setToolTip(name)
