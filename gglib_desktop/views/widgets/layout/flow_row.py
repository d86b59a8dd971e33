"""Widgets beside each other that continue in the next row where the width ends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.views.widgets.layout.flow_layout import FlowLayout


class FlowRow(QWidget):
    """Fixes its height for its width by itself: scroll areas and tabs do not ask their content."""

    def __init__(self, widgets: Sequence[QWidget] = (), parent: QWidget | None = None, *, column_gap: int = 6) -> None:
        super().__init__(parent)
        self.flow = FlowLayout(column_gap=column_gap)
        for widget in widgets:
            self.flow.addWidget(widget)
        self.setLayout(self.flow)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        self.setFixedHeight(self.flow.heightForWidth(self.width()))
