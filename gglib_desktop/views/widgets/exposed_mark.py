"""The mark of a server that other computers can reach: a shape, a colour and a word."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

from gglib_desktop.views.icons import paint_icon
from gglib_desktop.views.theme import state_colour

_ICON = 14
_GAP = 5


class ExposedMark(QLabel):
    """Says so in red; what it means stands beside it, in its tool tip and in its description."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("exposed")
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setText(self.tr("Exposed"))
        self.setAccessibleName(self.text())

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(_ICON + _GAP + metrics.horizontalAdvance(self.text()) + 2, max(_ICON, metrics.height()) + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = state_colour("Failed", self.palette())
        paint_icon(painter, QRect(0, (self.height() - _ICON) // 2, _ICON, _ICON), "exposed", colour)
        painter.setPen(colour)
        area = self.rect().adjusted(_ICON + _GAP, 0, 0, 0)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
