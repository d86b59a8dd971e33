"""The panels of all servers, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.engine import EngineViewModel
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel
from gglib_desktop.views.servers.empty_state import NoServers

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.server import ServerViewModel
    from gglib_desktop.views.servers.panel.view import ServerPanel


class ServerListView(QStackedWidget):
    """Scrolls if there are many panels, and explains if there is none."""

    settingsRequested = Signal()

    def __init__(
        self,
        servers: ServersViewModel,
        engine: EngineViewModel,
        models: ModelListViewModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._models = models
        self.panels: dict[int, ServerPanel] = {}
        self._wanted = 0
        self._empty = NoServers(engine, models, self)
        self._empty.engineWanted.connect(self.settingsRequested)
        content = QWidget(self)
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        # Without a share of its own: a log that is shown goes first.
        self._layout.addStretch(0)
        self._scroll = QScrollArea(self)
        self._scroll.setObjectName("servers")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(content)
        self.addWidget(self._empty)
        self.addWidget(self._scroll)
        servers.added.connect(self._on_added)
        servers.removed.connect(self._on_removed)
        servers.shown.connect(self.bring_into_view)

    @property
    def current(self) -> ServerPanel | None:
        """The panel with the focus, else the first one of the selected model, else the only one."""
        focus = QApplication.focusWidget()
        for panel in self.panels.values():
            if focus is not None and panel.isAncestorOf(focus):
                return panel
        selected = self._models.selected
        of_model = [p for p in self.panels.values() if selected and p.server.model_id == selected.id]
        if of_model:
            return of_model[0]
        return next(iter(self.panels.values())) if len(self.panels) == 1 else None

    @Slot(int)
    def bring_into_view(self, server_id: int) -> None:
        """Shows a panel from its top, once it has its place."""
        self._wanted = server_id
        QTimer.singleShot(0, self, self._show_wanted)

    @Slot()
    def _show_wanted(self) -> None:
        panel = self.panels.get(self._wanted)
        if panel is None:
            return
        bar, height = self._scroll.verticalScrollBar(), self._scroll.viewport().height()
        if panel.y() < bar.value() or panel.geometry().bottom() > bar.value() + height:
            bar.setValue(panel.y())

    @Slot(QWidget)
    def _on_revealed(self, part: QWidget) -> None:
        self._scroll.ensureWidgetVisible(part, 0, 0)

    def fold_all(self, folded: bool) -> None:
        for panel in self.panels.values():
            panel.set_folded(folded)

    @Slot(object)
    def _on_added(self, server: ServerViewModel) -> None:
        from gglib_desktop.views.servers.panel.view import ServerPanel

        panel = ServerPanel(server, self)
        panel.settingsRequested.connect(self.settingsRequested)
        panel.revealed.connect(self._on_revealed)
        self.panels[server.id] = panel
        self._layout.insertWidget(self._layout.count() - 1, panel)
        self.setCurrentWidget(self._scroll)

    @Slot(int)
    def _on_removed(self, server_id: int) -> None:
        panel = self.panels.pop(server_id)
        panel.hide()
        self._layout.removeWidget(panel)
        panel.deleteLater()
        if not self.panels:
            self.setCurrentWidget(self._empty)
