"""The speed of the last hour."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from gglib_desktop.views.charts.line import Sparkline
from gglib_desktop.views.look.theme import hairline_colour, quiet_colour
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.words.figures import described_line, number_text

_PLACES = 120
_LINES_HIGH = 6


class SpeedChart(Sparkline):
    """With its highest value at the upper edge, and what times the lower edge spans."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_PLACES, parent)
        self.setObjectName("speedChart")
        self.setAccessibleName(self.tr("Speed chart"))
        set_type(self, TypeSize.SMALL, figures=True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @override
    def show_values(self, values: Sequence[float | None]) -> None:
        super().show_values(values)
        words = described_line(values)
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
            self.setToolTip(self.tr("Last hour: {line}").format(line=words))

    @override
    def sizeHint(self) -> QSize:
        return QSize(40 * self.fontMetrics().averageCharWidth(), _LINES_HIGH * self.fontMetrics().lineSpacing())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area, line = QRectF(self.rect()), self.fontMetrics().lineSpacing()
        plot = area.adjusted(0, line, 0, -line)
        painter.setPen(hairline_colour(self.palette()))
        for y in (plot.top(), plot.center().y(), plot.bottom()):
            painter.drawLine(round(plot.left()), round(y), round(plot.right()), round(y))
        painter.setPen(quiet_colour(self.palette()))
        above, below = area.adjusted(0, 0, 0, line - area.height()), area.adjusted(0, area.height() - line, 0, 0)
        if self.top:
            text = self.tr("{speed} tok/s").format(speed=number_text(self.top))
            painter.drawText(above, Qt.AlignmentFlag.AlignLeft, text)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, self.tr("1 h ago"))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, self.tr("now"))
        self.paint_line(painter, plot)
