"""Spin and combo boxes that scrolling a page past them does not change."""

from __future__ import annotations

from PySide6.QtCore import QMetaObject, Qt
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget
from typing_extensions import override


class CalmSpinBox(QSpinBox):
    """Turns with the wheel only while it has the focus. Emptied, it shows its special value again, if it has one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.specialValueText() and self.value() == self.minimum():
            # Typed digits shall replace the word. Once more after the mouse press that gave the focus, which deselects.
            self.selectAll()
            QMetaObject.invokeMethod(self, "selectAll", Qt.ConnectionType.QueuedConnection)

    @override
    def fixup(self, str: str) -> str:
        emptied = self.specialValueText() and not str.strip()
        # The minimum's digits: Qt takes the special text itself only from its own line edit, not from here.
        return self.textFromValue(self.minimum()) if emptied else super().fixup(str)


class CalmDoubleSpinBox(QDoubleSpinBox):
    """Turns with the wheel only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CalmComboBox(QComboBox):
    """Turns with the wheel only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
