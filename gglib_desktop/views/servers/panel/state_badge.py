"""The badge with a server's state: a shape, a color and a word."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import PanelState, ServerPanelState
from gglib_desktop.views.look.theme import state_colour, state_icon
from gglib_desktop.views.widgets.labels.marked import MarkedLabel
from gglib_desktop.views.words.states import state_description, state_text


class StateBadge(MarkedLabel):
    """As wide for every state, so that nothing beside it moves. In short form it only says the state's word."""

    def __init__(self, server: PanelViewModel, parent: QWidget | None = None) -> None:
        self._long = QCoreApplication.translate("States", "Crashed (exit code 255)")
        self._short = QCoreApplication.translate("States", "Unresponsive")
        super().__init__(self._long, parent)
        self.setObjectName("health")
        self._is_short = False
        self._show(server.state.state)
        server.stateChanged.connect(self._on_state)

    @Slot(object)
    def _on_state(self, state: ServerPanelState) -> None:
        self._show(state.state)

    def width_of(self, *, short: bool) -> int:
        """In that form."""
        metrics = self.fontMetrics()
        shorter = metrics.horizontalAdvance(self._widest) - metrics.horizontalAdvance(self._text_of(short=short))
        return self.sizeHint().width() - shorter

    def set_short(self, short: bool) -> None:
        if short != self._is_short:
            self._is_short = short
            self._widest = self._text_of(short=short)
            self._show(self._state)
            self.updateGeometry()

    def _show(self, state: PanelState) -> None:
        self._state = state
        self.setText(state_text(state, with_end=not self._is_short))
        # Only the word; everything else goes into the description.
        self.setAccessibleName(f"Health: {state.word}")
        self.setAccessibleDescription(state_description(state))
        self.setToolTip(state_description(state))

    def _text_of(self, *, short: bool) -> str:
        return self._short if short else self._long

    @override
    def mark(self) -> tuple[str, QColor]:
        return state_icon(self._state.word), state_colour(self._state.word, self.palette())
