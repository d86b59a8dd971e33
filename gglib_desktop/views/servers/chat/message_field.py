"""A field for several lines that grows with its text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from typing_extensions import override

_ENTER = {Qt.Key.Key_Return, Qt.Key.Key_Enter}


class GrowingField(QPlainTextEdit):
    """Between one line and ``most_lines`` high; Tab leaves it."""

    def __init__(self, object_name: str, name: str, parent: QWidget | None = None, *, most_lines: int) -> None:
        super().__init__(parent)
        self._most_lines = most_lines
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fit()

    @Slot()
    def _fit(self) -> None:
        # The document of a plain text field counts its height in lines.
        needed = max(1, round(self.document().size().height()))
        lines = min(needed, self._most_lines)
        fits = needed == lines
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOff if fits else Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setVerticalScrollBarPolicy(policy)
        around = 2 * (self.frameWidth() + round(self.document().documentMargin())) + 2
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + around)


class MessageField(GrowingField):
    """Enter sends, Shift+Enter begins a new line."""

    sent = Signal()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        else:
            super().keyPressEvent(event)
