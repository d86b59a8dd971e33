"""A word behind a mark with its own color, so that color is not the only sign."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

from gglib_desktop.views.look.icons import paint_icon

_ICON = 14
_GAP = 6


class MarkedLabel(QLabel):
    """Bold, and at least as wide as the text of ``widest`` needs, so that nothing beside it moves."""

    def __init__(self, widest: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widest = widest
        font = self.font()
        font.setBold(True)
        self.setFont(font)

    def mark(self) -> tuple[str, QColor]:
        """The name of the icon, and the color of both."""
        raise NotImplementedError

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = max(metrics.horizontalAdvance(text) for text in (self._widest, self.text()))
        return QSize(_ICON + _GAP + width + 2, max(_ICON, metrics.height()) + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        name, colour = self.mark()
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - _ICON if is_mirrored else 0
        paint_icon(painter, QRect(left, (self.height() - _ICON) // 2, _ICON, _ICON), name, colour)
        painter.setPen(colour)
        room = _ICON + _GAP
        area = self.rect().adjusted(0, 0, -room, 0) if is_mirrored else self.rect().adjusted(room, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignRight if is_mirrored else Qt.AlignmentFlag.AlignLeft
        flags = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, int(flags), self.text())
