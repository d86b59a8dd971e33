"""Spin and combo boxes that scrolling a page past them does not change."""

from __future__ import annotations

from PySide6.QtCore import QMetaObject, Qt
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget
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
        if self.value() == self.minimum():
            _select_word(self)

    @override
    def fixup(self, str: str) -> str:
        emptied = self.specialValueText() and not str.removesuffix(self.suffix()).strip()
        # The minimum's digits: Qt takes the special text itself only from its own line edit, not from here.
        return self.textFromValue(self.minimum()) if emptied else super().fixup(str)


class CalmDoubleSpinBox(QDoubleSpinBox):
    """As CalmSpinBox, for numbers with decimals."""

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
        if self.value() == self.minimum():
            _select_word(self)

    @override
    def fixup(self, str: str) -> str:
        emptied = self.specialValueText() and not str.removesuffix(self.suffix()).strip()
        return self.textFromValue(self.minimum()) if emptied else super().fixup(str)


def _select_word(box: QAbstractSpinBox) -> None:
    """Typed digits shall replace the special value's word."""
    if box.specialValueText():
        box.selectAll()
        # Once more after the mouse press that gave the focus, which deselects.
        QMetaObject.invokeMethod(box, "selectAll", Qt.ConnectionType.QueuedConnection)


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
