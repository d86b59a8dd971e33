"""A share of something, as a bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from gglib_desktop.views.look.theme import Figure, figure_colour, track_colour

_WIDTH_CHARACTERS = 12


class ShareBar(QWidget):
    """Paints a share from 0 to 1. Without a name for assistive technology: a text beside it says the same."""

    def __init__(self, figure: Figure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figure = figure
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def share(self) -> float:
        return self._share

    def show_share(self, share: float) -> None:
        share = min(1.0, max(0.0, share))
        if share != self._share:
            self._share = share
            self.update()

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * _WIDTH_CHARACTERS, metrics.xHeight())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area, radius = QRectF(self.rect()), self.height() / 2
        painter.setBrush(track_colour(self.palette()))
        painter.drawRoundedRect(area, radius, radius)
        painter.setBrush(figure_colour(self._figure, self.palette()))
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = area.width() * (1 - self._share) if is_mirrored else 0.0
        painter.setClipRect(QRectF(left, 0, area.width() * self._share, area.height()))
        painter.drawRoundedRect(area, radius, radius)
