"""The inside of an open panel: where the server is reached, what there is to notice, and the pages."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.card import HALF_GRID
from gglib_desktop.views.servers.model_choice import ModelChoice
from gglib_desktop.views.servers.panel.endpoint import EndpointRow
from gglib_desktop.views.servers.panel.notices import Notices
from gglib_desktop.views.servers.panel.orders import Orders
from gglib_desktop.views.servers.panel.pages import Pages
from gglib_desktop.views.servers.panel_frame import PanelBody


class Body(PanelBody):
    """Of a server of this program."""

    def __init__(self, server: ServerViewModel, orders: Orders, parent: QWidget) -> None:
        super().__init__(parent)
        # Its models are asked for while the panel is open.
        self._routed = server.routed
        # Tab goes through widgets in the order in which they were made.
        self.endpoint = EndpointRow(server, orders, self)
        self._model = ModelChoice(server, self) if server.routed is not None else None
        self.notices = Notices(server, orders, self)
        self.pages = Pages(server, self)
        self.pages.restartRequested.connect(orders.restart)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        layout.addWidget(self.endpoint)
        if self._model is not None:
            layout.addWidget(self._model, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.notices)
        layout.addWidget(self.pages, 1)
        self.pages.pageShown.connect(self._show_notices)
        self.pages.grown.connect(self.grown)

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self.endpoint.show_state(state)
        if self._model is not None:
            self._model.show_state(state)
        self.notices.show_state(state)
        self.pages.show_state(state)
        self._show_notices()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._routed is not None:
            self._routed.set_shown(True)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._routed is not None:
            self._routed.set_shown(False)

    @Slot()
    def _show_notices(self) -> None:
        """The log gets the whole height."""
        self.notices.setVisible(not self.notices.is_empty and not self.pages.shows_log)
