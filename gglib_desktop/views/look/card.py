"""A frame with its own color, one hairline and round corners: what belongs together lies on one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QWidget
from typing_extensions import override

from gglib_desktop.views.look.theme import card_colour, hairline_colour

# Distances are whole or half steps of this grid.
GRID = 12
HALF_GRID = GRID // 2
CORNER = 8


class Card(QFrame):
    """Its palette's ``Window`` is the card's color, so that colors asked of it or of its children fit the card.

    A layout set on it needs no margins of its own: the frame keeps ``GRID`` free.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setContentsMargins(GRID, GRID, GRID, GRID)
        self._take_colours()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._take_colours()

    def _take_colours(self) -> None:
        # Only this role is set: the others go on following the application's palette.
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, card_colour(QGuiApplication.palette()))
        self.setPalette(palette)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(hairline_colour(self.palette()))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)
