"""A button that opens and folds something."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleStateChangeEvent
from PySide6.QtWidgets import QAccessibleWidget, QToolButton, QWidget
from typing_extensions import override

from gglib_desktop.views.look.icons import icon

_PRESS = "Press"


class Expander(QToolButton):
    """An arrow, which assistive technology hears to be expanded or collapsed. A click changes nothing by itself."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.is_expanded = False
        # Kept here: Qt does not own what Python made.
        self._accessible = _AccessibleExpander(self)
        QAccessible.registerAccessibleInterface(self._accessible)

    def show_expanded(self, expanded: bool, name: str) -> None:
        """``name`` is what a press does, as the accessible name."""
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        closed = "fold-closed-mirrored" if is_mirrored else "fold-closed"
        self.setIcon(icon("fold-open" if expanded else closed))
        if name != self.accessibleName():
            self.setAccessibleName(name)
            self.setToolTip(name)
        if expanded != self.is_expanded:
            self.is_expanded = expanded
            state = QAccessible.State()
            state.expanded = state.collapsed = True  # those that changed
            QAccessible.updateAccessibility(QAccessibleStateChangeEvent(self, state))


class _AccessibleExpander(QAccessibleWidget):
    def __init__(self, button: Expander) -> None:
        super().__init__(button, QAccessible.Role.Button)
        self._button = button

    @override
    def state(self) -> QAccessible.State:
        state = super().state()
        state.expandable = True
        state.expanded = self._button.is_expanded
        state.collapsed = not self._button.is_expanded
        return state

    @override
    def actionNames(self) -> list[str]:
        return [_PRESS, *super().actionNames()]

    @override
    def doAction(self, actionName: str) -> None:
        if actionName == _PRESS:
            self._button.animateClick()
        else:
            super().doAction(actionName)
