"""The badge with a server's state: a shape, a color and a word."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.states import ServerState
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.theme import state_colour, state_icon
from gglib_desktop.views.widgets.labels.marked import MarkedLabel
from gglib_desktop.views.words.states import state_description, state_text


class StateBadge(MarkedLabel):
    """Wide enough for every state's word, so that nothing beside it moves when the state changes."""

    def __init__(self, server: ServerViewModel, parent: QWidget | None = None) -> None:
        super().__init__(QCoreApplication.translate("States", "Unresponsive"), parent)
        self.setObjectName("health")
        self._show(server.state.state)
        server.stateChanged.connect(self._on_state)

    @Slot(object)
    def _on_state(self, state: ServerPanelState) -> None:
        self._show(state.state)

    def _show(self, state: ServerState) -> None:
        self._word = state.word
        self.setText(state_text(state))
        # Only the word; everything else goes into the description.
        self.setAccessibleName(f"Health: {state.word}")
        self.setAccessibleDescription(state_description(state))
        self.setToolTip(state_description(state))

    @override
    def mark(self) -> tuple[str, QColor]:
        return state_icon(self._word), state_colour(self._word, self.palette())
