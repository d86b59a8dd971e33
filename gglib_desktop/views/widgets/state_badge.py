"""The badge that says how a server is: a shape, a colour and a word."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget
from typing_extensions import override

from gglib_desktop.domain.states import ServerState
from gglib_desktop.views.icons import paint_icon
from gglib_desktop.views.theme import state_colour, state_icon
from gglib_desktop.views.wording import state_description, state_text

_ICON = 14
_GAP = 6


class StateBadge(QLabel):
    """Wide enough for every state's word, so that nothing beside it moves when the state changes."""

    def __init__(self, state: ServerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("health")
        self._word = state.word
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.show_state(state)

    def show_state(self, state: ServerState) -> None:
        self._word = state.word
        self.setText(state_text(state))
        # The word alone: what else there is to say goes into the description.
        self.setAccessibleName(f"Health: {state.word}")
        self.setAccessibleDescription(state_description(state))
        self.setToolTip(state_description(state))
        self.updateGeometry()
        self.update()

    @override
    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(text) for text in (self.tr("Unresponsive"), self.text()))
        return QSize(_ICON + _GAP + widest + 2, max(_ICON, metrics.height()) + 2)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = state_colour(self._word, self.palette())
        paint_icon(painter, QRect(0, (self.height() - _ICON) // 2, _ICON, _ICON), state_icon(self._word), colour)
        painter.setPen(colour)
        area = self.rect().adjusted(_ICON + _GAP, 0, 0, 0)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
