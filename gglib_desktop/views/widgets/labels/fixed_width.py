"""A label for text that changes all the time."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

from gglib_desktop.views.widgets.labels.elided import ElidedLabel

_UNLIMITED = 2**24 - 1  # QWIDGETSIZE_MAX, which PySide does not have


class FixedWidthLabel(ElidedLabel):
    """Has the width of ``usual`` for every text that fits, and more for longer ones.

    No layout is computed when the text of a widget with a fixed size changes; measured, that was a fifth of the cost of
    five idle servers in the window.
    """

    def __init__(self, usual: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._usual = usual
        self._fit()

    @override
    def setText(self, text: str) -> None:
        # Not like its base: a tool tip with the whole text costs more than the text, and a text that fits needs none.
        QLabel.setText(self, text)
        self._fit()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fit()

    def _fit(self) -> None:
        hint, width = self.sizeHint(), self.fontMetrics().horizontalAdvance(self._usual) + 8
        self.setMinimumSize(width, hint.height())
        is_long = hint.width() > width
        if is_long or self.toolTip():
            self.setToolTip(self.text() if is_long else "")
        self.setMaximumSize(_UNLIMITED if is_long else width, _UNLIMITED if is_long else hint.height())
