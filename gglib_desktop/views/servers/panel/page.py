"""What the pages of a server's panel have in common."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gglib_desktop.viewmodels.servers.server import ServerPanelState


class Page(QWidget):
    """One page. It is made when it is first shown, and hears nothing while another one, or no page, is shown."""

    def show_state(self, state: ServerPanelState) -> None:
        """Takes the state: before it is shown, and when the state changes while it is shown."""
