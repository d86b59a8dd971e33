"""The panels of all servers, or what to do if there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from gglib_desktop.viewmodels.engine import EngineViewModel
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel
from gglib_desktop.views.servers.empty_state import NoServers
from gglib_desktop.views.servers.panel_area import PanelArea
from gglib_desktop.views.servers.panel_tabs import PanelTabs

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
    from gglib_desktop.viewmodels.servers.server import ServerViewModel
    from gglib_desktop.views.servers.attached.panel import EndpointPanel
    from gglib_desktop.views.servers.panel.view import ServerPanel
    from gglib_desktop.views.servers.panel_frame import Panel


class ServerListView(QStackedWidget):
    """Opens the panel of the current server."""

    settingsRequested = Signal()
    measureRequested = Signal(int)  # the id of a model whose drafting is to be measured
    tabsArranged = Signal(QWidget)  # the last stop of Tab

    def __init__(
        self,
        servers: ServersViewModel,
        engine: EngineViewModel,
        models: ModelListViewModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._servers = servers
        self.panels: dict[int, ServerPanel] = {}
        self.endpoint_panels: dict[int, EndpointPanel] = {}
        self._empty = NoServers(engine, models, self)
        self._empty.engineWanted.connect(self.settingsRequested)
        self._area = PanelArea(self)
        self._tabs = PanelTabs(self._area)
        self.addWidget(self._empty)
        self.addWidget(self._area)
        servers.added.connect(self._on_added)
        servers.removed.connect(self._on_removed)
        servers.attached.added.connect(self._on_endpoint)
        servers.attached.removed.connect(self._on_removed)
        servers.current.changed.connect(self._show_current)

    @property
    def current(self) -> Panel | None:
        """The panel of the current server, which may be folded."""
        current = self._servers.current.id
        return None if current is None else self._panel_of(current)

    @property
    def current_own(self) -> ServerPanel | None:
        """The same, of a server of this program."""
        current = self._servers.current.id
        return None if current is None else self.panels.get(current)

    @property
    def _all(self) -> list[Panel]:
        """In their order: those of endpoints come last."""
        return [*self.panels.values(), *self.endpoint_panels.values()]

    def _panel_of(self, panel_id: int) -> Panel | None:
        return self.panels.get(panel_id) or self.endpoint_panels.get(panel_id)

    @Slot(object)
    def _on_added(self, server: ServerViewModel) -> None:
        from gglib_desktop.views.servers.panel.view import ServerPanel

        panel = ServerPanel(server, self)
        panel.settingsRequested.connect(self.settingsRequested)
        panel.measureRequested.connect(self.measureRequested)
        self.panels[server.id] = panel
        self._add(panel, len(self.panels) - 1)

    @Slot(object)
    def _on_endpoint(self, endpoint: EndpointViewModel) -> None:
        from gglib_desktop.views.servers.attached.panel import EndpointPanel

        panel = self.endpoint_panels[endpoint.id] = EndpointPanel(endpoint, self)
        self._add(panel, len(self._all) - 1)

    def _add(self, panel: Panel, position: int) -> None:
        panel.foldClicked.connect(self._servers.current.toggle)
        panel.grown.connect(self._arrange_tabs)
        self._area.add(panel, position)
        self._arrange_tabs()
        self.setCurrentWidget(self._area)

    @Slot(int)
    def _on_removed(self, panel_id: int) -> None:
        panel = self._panel_of(panel_id)
        assert panel is not None
        self.panels.pop(panel_id, None)
        self.endpoint_panels.pop(panel_id, None)
        panel.hide()
        self._area.remove(panel)
        panel.deleteLater()
        if not self._all:
            self.setCurrentWidget(self._empty)

    @Slot()
    def _show_current(self) -> None:
        current = self._servers.current
        focus = QApplication.focusWidget()
        if focus is not None and not self.isAncestorOf(focus):
            focus = None
        opened = self.current if current.is_open else None
        # First the one that folds: for a moment none is open, rather than two.
        for panel in sorted(self._all, key=lambda each: each is opened):
            panel.show_current(panel is self.current)
            if panel.is_open != (panel is opened):
                panel.show_open(panel is opened)
        self._area.show_open(opened)
        self._arrange_tabs()
        if self.current is not None and focus is not None and not self.current.isAncestorOf(focus):
            self.current.line.fold.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _arrange_tabs(self) -> None:
        panels = self._all
        open_line = next((number for number, panel in enumerate(panels) if panel.is_open), None)
        self.tabsArranged.emit(self._tabs.arrange([panel.line.stops for panel in panels], open_line))
