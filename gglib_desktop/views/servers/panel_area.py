"""The panels, one below the other, of which at most one is open."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

_GAP = 3


class PanelArea(QScrollArea):
    """The open panel takes the height that is left. Where there is none, the others scroll, and it stays in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("servers")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._open: QWidget | None = None
        content = QWidget(self)
        self._column = _Column(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_GAP)
        # Without a share of its own: an open panel goes first.
        self._column.addStretch(0)
        self.setWidget(content)
        self._column.arranged.connect(self._keep_in_view)
        self.verticalScrollBar().valueChanged.connect(self._keep_in_view)

    def add(self, panel: QWidget, position: int) -> None:
        self._column.insertWidget(position, panel)

    def remove(self, panel: QWidget) -> None:
        if panel is self._open:
            self._open = None
        self._column.removeWidget(panel)

    def show_open(self, panel: QWidget | None) -> None:
        if self._open is not None:
            self._column.setStretchFactor(self._open, 0)
        self._open = panel
        if panel is not None:
            self._column.setStretchFactor(panel, 1)

    def reveal(self, panel: QWidget) -> None:
        """Scrolls to a panel that is beyond the edge, or behind the open one."""
        bar, height = self.verticalScrollBar(), self.viewport().height()
        top, bottom = bar.value(), bar.value() + height
        if self._open is not None and panel is not self._open:
            if self._column.indexOf(panel) < self._column.indexOf(self._open):
                bottom = self._open.y()
            else:
                top = self._open.geometry().bottom() + 1
        if panel.y() < top:
            bar.setValue(bar.value() - (top - panel.y()))
        elif panel.geometry().bottom() >= bottom:
            bar.setValue(bar.value() + panel.geometry().bottom() + 1 - bottom)

    @override
    def focusNextPrevChild(self, next: bool) -> bool:
        moved = super().focusNextPrevChild(next)
        part: QWidget | None = self.focusWidget()
        while part is not None and part.parentWidget() is not self.widget():
            part = part.parentWidget()
        if moved and part is not None:
            self.reveal(part)
        return moved

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_in_view()

    @Slot()
    def _keep_in_view(self) -> None:
        panel = self._open
        if panel is None or panel.isHidden():
            return
        before = self._column.itemAt(self._column.indexOf(panel) - 1)
        top = before.geometry().bottom() + 1 + _GAP if before is not None else 0
        seen, room = self.verticalScrollBar().value(), self.viewport().height() - panel.height()
        if room >= 0:
            top = max(seen, min(top, seen + room))
        panel.move(panel.x(), top)
        panel.raise_()


class _Column(QVBoxLayout):
    arranged = Signal()

    @override
    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self.arranged.emit()
