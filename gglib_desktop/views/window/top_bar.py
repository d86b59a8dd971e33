"""The bar above the lists: the main buttons, and a summary of what is running."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from gglib_desktop.domain.units import size_text
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel, ServerTotals
from gglib_desktop.views.look.actions import Actions, tell_shortcut
from gglib_desktop.views.look.icons import icon


class TopBar(QWidget):
    """The window connects the buttons."""

    def __init__(self, servers: ServersViewModel, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self.add = self._button("addModels", self.tr("Add models"), "add")
        self.start = self._button("start", self.tr("Start"), "start")
        self.start_with = self._button("startWith", self.tr("Start with…"), "start-with")
        self.settings = self._button("settings", self.tr("Settings"), "settings")
        self._summary = QLabel(self)
        self._summary.setObjectName("summary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.add)
        row.addWidget(self.start)
        row.addWidget(self.start_with)
        row.addStretch()
        row.addWidget(self._summary)
        row.addStretch()
        row.addWidget(self.settings)
        servers.totalsChanged.connect(self._render)
        models.selectionChanged.connect(self._render_selection)
        self._render(servers.totals)
        self._render_selection()

    def tell_shortcuts(self, actions: Actions) -> None:
        """In the tool tips: the menus tell them only to those who look there."""
        tell_shortcut(self.add, actions.add_models)
        tell_shortcut(self.start, actions.start)
        tell_shortcut(self.start_with, actions.start_with)
        tell_shortcut(self.settings, actions.settings)

    def _button(self, name: str, text: str, icon_name: str) -> QPushButton:
        button = QPushButton(icon(icon_name), text, self)
        button.setObjectName(f"{name}Button")
        return button

    @Slot(object)
    def _render(self, totals: ServerTotals) -> None:
        if not totals.running:
            text = self.tr("No servers running")
        elif totals.memory is None:
            text = self.tr("{count} running").format(count=totals.running)
        else:
            text = self.tr("{count} running · {size}").format(count=totals.running, size=size_text(totals.memory))
        self._summary.setText(text)

    @Slot()
    def _render_selection(self) -> None:
        selected = self._models.selected
        for control in (self.start, self.start_with):
            control.setEnabled(selected is not None and selected.is_model)
