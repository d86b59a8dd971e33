"""The mark of a server that other computers reach."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.theme import state_colour
from gglib_desktop.views.widgets.labels.marked import MarkedLabel

translate = QCoreApplication.translate


class ExposedMark(MarkedLabel):
    """Says so in red, on the line of a server; its meaning is in its tool tip and in its description."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("exposed")
        self.setText(self.tr("Exposed"))
        self.setAccessibleName(self.text())

    def show_state(self, state: ServerPanelState) -> None:
        description = _description(state) if state.exposed else ""
        self.setVisible(state.exposed)
        self.setToolTip(description)
        self.setAccessibleDescription(description)

    @override
    def mark(self) -> tuple[str, QColor]:
        return "exposed", state_colour("Failed", self.palette())


def _description(state: ServerPanelState) -> str:
    reached = translate("ExposedMark", "Other computers can reach this server.")
    if state.other_endpoints:
        reached = translate("ExposedMark", "Other computers can reach this server at {urls}.").format(
            urls=", ".join(state.other_endpoints)
        )
    if state.asks_for_key is None:
        return reached
    if state.asks_for_key:
        key = translate("ExposedMark", "It answers only who shows the key.")
    else:
        key = translate("ExposedMark", "It asks nobody for a key; a restart from here makes it ask.")
    return f"{reached} {key}"
