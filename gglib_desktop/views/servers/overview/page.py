"""What a server does, and what it runs with."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.card import GRID
from gglib_desktop.views.servers.overview.facts import Facts
from gglib_desktop.views.servers.overview.figures import FiguresCard
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.buttons import push_button


class OverviewPage(Page):
    """Its parts are hidden while there is nothing to say."""

    def __init__(self, server: PanelViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._figures = FiguresCard(self)
        self._measure = push_button("measureDrafting", self.tr("Measure drafting…"), self)
        self._measure.clicked.connect(self.measureRequested)
        self._facts = Facts(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        layout.addWidget(self._figures)
        layout.addWidget(self._measure, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._facts)
        layout.addStretch()

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._facts.show_state(state)
        self._figures.show_untold(state)
        self._measure.setVisible(state.can_measure and state.handle is not None)
        self._figures.setVisible(state.handle is not None or state.is_attached)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._server.figures.stateChanged.connect(self._figures.show_figures, Qt.ConnectionType.UniqueConnection)
        self._figures.show_figures(self._server.figures.state)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._server.figures.stateChanged.disconnect(self._figures.show_figures)
