"""A small sign in the color of a state."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QStyle, QWidget
from typing_extensions import override

from gglib_desktop.views.look.icons import paint_icon
from gglib_desktop.views.look.theme import state_colour


class StateSign(QWidget):
    """Painted, so that it follows the theme."""

    def __init__(self, icon_name: str, word: str, parent: QWidget) -> None:
        """``word`` is the state's."""
        super().__init__(parent)
        self._icon_name, self._word = icon_name, word
        side = self.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize)
        self.setFixedSize(side, side)

    def show_sign(self, icon_name: str, word: str) -> None:
        self._icon_name, self._word = icon_name, word
        self.update()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        paint_icon(QPainter(self), self.rect(), self._icon_name, state_colour(self._word, self.palette()))
