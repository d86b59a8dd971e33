"""The panel of an endpoint."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
from gglib_desktop.views.servers.attached.body import EndpointBody
from gglib_desktop.views.servers.panel.line_buttons import AttachedButtons
from gglib_desktop.views.servers.panel_frame import Panel


class EndpointPanel(Panel):
    """Shows an EndpointViewModel. It has Detach, and nothing that starts or stops."""

    def __init__(self, endpoint: EndpointViewModel, parent: QWidget | None = None) -> None:
        buttons = AttachedButtons()
        super().__init__(endpoint, buttons, parent)
        self.endpoint = endpoint
        buttons.detach.clicked.connect(endpoint.detach.trigger)
        self.begin()

    @override
    def make_body(self) -> EndpointBody:
        return EndpointBody(self.endpoint, self)

    @override
    def show_open(self, is_open: bool) -> None:
        super().show_open(is_open)
        if is_open:
            # The user looks at it: what it does now is asked at once.
            self.endpoint.look()
