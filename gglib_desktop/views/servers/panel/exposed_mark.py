"""The mark of a server that other computers can reach: a shape, a color and a word."""

from __future__ import annotations

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.views.look.theme import state_colour
from gglib_desktop.views.widgets.labels.marked import MarkedLabel


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
