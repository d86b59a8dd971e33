"""Spin boxes, combo boxes and tabs that do not change when the user scrolls a page past them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QMetaObject, Qt
from PySide6.QtGui import QFocusEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionTab,
    QStylePainter,
    QTabBar,
    QTabWidget,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.views.look.style import paint_tab

_SHOWN = QStyle.StateFlag.State_Selected
_TAB_TEXT = QStyle.ControlElement.CE_TabBarTabLabel

# A mixin for Qt classes cannot be one itself: an object can only derive from one.
if TYPE_CHECKING:
    _Box: TypeAlias = QWidget
    _SpinBox: TypeAlias = QAbstractSpinBox
else:
    _Box = _SpinBox = object


class _WheelSafe(_Box):
    """Reacts to the wheel only while it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _Worded(_SpinBox):
    """Its special value is a word. Typed digits replace it, and an empty box shows it again."""

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.specialValueText() and self.text() == self.specialValueText():
            self.selectAll()
            # Once more after the mouse press that gave the focus, which deselects.
            QMetaObject.invokeMethod(self, "selectAll", Qt.ConnectionType.QueuedConnection)

    def _is_emptied(self, text: str, suffix: str) -> bool:
        return bool(self.specialValueText()) and not text.removesuffix(suffix).strip()


class WheelSafeSpinBox(_WheelSafe, _Worded, QSpinBox):
    """For whole numbers."""

    @override
    def fixup(self, str: str) -> str:
        # The minimum's digits: Qt takes the special text itself only from its own line edit, not from here.
        return self.textFromValue(self.minimum()) if self._is_emptied(str, self.suffix()) else super().fixup(str)


class WheelSafeDoubleSpinBox(_WheelSafe, _Worded, QDoubleSpinBox):
    """For numbers with decimals."""

    @override
    def fixup(self, str: str) -> str:
        return self.textFromValue(self.minimum()) if self._is_emptied(str, self.suffix()) else super().fixup(str)


class WheelSafeComboBox(_WheelSafe, QComboBox):
    """For one of several texts."""


class WheelSafeTabWidget(QTabWidget):
    """Only a click or a key changes the page: pages differ in height, so everything below would jump."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabBar(_WheelSafeTabBar(self))


class _WheelSafeTabBar(QTabBar):
    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionTab()
        for index in range(self.count()):
            self.initStyleOption(option, index)
            paint_tab(option, painter)
            # Fusion writes on all others lower, where a flat tab has no room left.
            option.state |= _SHOWN
            painter.drawControl(_TAB_TEXT, option)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
