"""A line of values over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from gglib_desktop.views.look.theme import Figure, figure_colour

_PEN_WIDTH = 1.5
_FILL_ALPHA = 40


class Sparkline(QWidget):
    """Values from 0 up, the newest at the right end. None leaves a gap. A hidden one costs nothing.

    ``places`` is for how many values there is room: a shorter line begins later.
    """

    def __init__(self, places: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places = places
        self._values: Sequence[float | None] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def top(self) -> float:
        """The value at the upper edge."""
        return max((value for value in self._values if value is not None), default=0.0)

    def show_values(self, values: Sequence[float | None]) -> None:
        if values != self._values:
            self._values = values[-self._places :]
            self.update()

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 9, metrics.ascent())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_line(painter, QRectF(self.rect()))

    def paint_line(self, painter: QPainter, area: QRectF) -> None:
        """Fills ``area`` with the line and what lies below it."""
        colour = figure_colour(Figure.GENERATION, self.palette())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        below = QColor(colour)
        below.setAlpha(_FILL_ALPHA)
        for points in self._pieces(area.adjusted(0, _PEN_WIDTH, 0, -_PEN_WIDTH)):
            painter.setPen(QPen(colour, _PEN_WIDTH))
            painter.drawPolyline(QPolygonF(points))
            painter.setPen(QColor(0, 0, 0, 0))
            painter.setBrush(below)
            corners = [QPointF(points[-1].x(), area.bottom()), QPointF(points[0].x(), area.bottom())]
            painter.drawPolygon(QPolygonF([*points, *corners]))

    def _pieces(self, area: QRectF) -> Iterator[list[QPointF]]:
        """The parts of the line between its gaps; a single value is a short stroke."""
        top = self.top or 1.0
        step = area.width() / max(1, self._places - 1)
        x = area.right() - step * (len(self._values) - 1)
        points: list[QPointF] = []
        for value in (*self._values, None):
            if value is not None:
                points.append(QPointF(x, area.bottom() - value / top * area.height()))
            elif points:
                yield (
                    points if len(points) > 1 else [points[0] - QPointF(step / 2, 0), points[0] + QPointF(step / 2, 0)]
                )
                points = []
            x += step
