"""What the pages of a server's panel have in common."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gglib_desktop.viewmodels.servers.server import ServerPanelState


class Page(QWidget):
    """One page. It is made when it is first shown, and hears nothing while another one, or no page, is shown."""

    grown = Signal()  # widgets were made after the page, which Tab is to go through before the next panel
    restartRequested = Signal()  # with what its form says; a busy server asks first
    measureRequested = Signal()  # what drafting brings

    def take_focus(self) -> None:
        """To where a user goes on. Not by a focus proxy: Tab would jump over all that comes before it."""
        self.setFocus()

    def show_state(self, state: ServerPanelState) -> None:
        """Takes the state: before it is shown, and when the state changes while it is shown."""
