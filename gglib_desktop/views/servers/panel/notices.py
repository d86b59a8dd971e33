"""Notices above the pages of a server's panel."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gglib_desktop.domain.servers.states import Crashed, Failed, Loading, Starting, Stopping, Unresponsive
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.panel.differences import DifferencesRow
from gglib_desktop.views.servers.panel.failure_card import FailureCard
from gglib_desktop.views.servers.panel.launch_note import LaunchNote


class Notices(QVBoxLayout):
    """A failure, differences from the requested settings, and what a restart changes.

    A layout instead of a widget, because the space around a widget stays if nothing in it is shown.
    """

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__()
        self.card = FailureCard(parent)
        self._differences = DifferencesRow(parent)
        self._note = LaunchNote(parent)
        for widget in (self.card, self._differences, self._note):
            self.addWidget(widget)
        self.card.stopTrying.connect(server.stop_trying)
        self.card.closed.connect(server.close_rejected)
        self._note.restartRequested.connect(server.options.restart.trigger)
        self._note.savedRequested.connect(server.options.use_saved.trigger)

    def show_state(self, state: ServerPanelState) -> None:
        self._show_failure(state)
        self._differences.show_differences(state.differences)
        self._note.show_state(
            saved_changed=state.saved_changed,
            other_engine=state.other_engine,
            unlisted_flags=state.unlisted_flags,
            own_choices=state.own_choices,
            enabled=not isinstance(state.state, Stopping),
        )

    def _show_failure(self, state: ServerPanelState) -> None:
        failed = state.state if isinstance(state.state, Failed | Crashed | Unresponsive) else None
        if failed is not None:
            retry = failed.retry if isinstance(failed, Crashed) else None
            self.card.show_failure(failed.failure, failed.word, state.remedies, retry=retry)
        elif state.rejected is not None:
            runs = not isinstance(state.state, Starting | Loading)
            self.card.show_rejected(state.rejected, state.remedies, runs=runs, untouched=state.untouched)
        self.card.show_offending_flag(state.offending_flag)
        self.card.setVisible(failed is not None or state.rejected is not None)
