"""A label of several lines that keeps the height its text needs."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

_NO_LIMIT = 100_000


class WrapLabel(QLabel):
    """Fixes its height for its width by itself: scroll areas and tabs do not pass that question on to their content."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self._fit()

    @override
    def setText(self, text: str) -> None:
        super().setText(text)
        self._fit()

    @override
    def hasHeightForWidth(self) -> bool:
        return False

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        margins = self.contentsMargins()
        room = QRect(0, 0, max(1, self.width() - margins.left() - margins.right()), _NO_LIMIT)
        needed = self.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), self.text()).height()
        self.setFixedHeight(needed + margins.top() + margins.bottom() + 2)
