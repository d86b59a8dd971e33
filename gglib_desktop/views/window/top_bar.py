"""The bar above the lists: the main buttons, and a summary of what is running."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.states import is_live
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.servers.servers import ServersViewModel, ServerTotals
from gglib_desktop.views.look.actions import Actions, tell_shortcut
from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.window.memory_bars import MemoryBars


class TopBar(QWidget):
    """The window connects the buttons."""

    def __init__(self, servers: ServersViewModel, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self._runs = False
        self.add = self._button("addModels", self.tr("Add models"), "add")
        self.start = self._button("start", self.tr("Start"), "start")
        self.start_another = self._button("startAnother", self.tr("Start another"), "start")
        self.start_with = self._button("startWith", self.tr("Start with…"), "start-with")
        self.settings = self._button("settings", self.tr("Settings"), "settings")
        self._summary = QLabel(self)
        self._summary.setObjectName("summary")
        self._bars = MemoryBars(servers, self)
        # As wide as its other text: the buttons beside it do not move with the selection.
        widths = []
        for text in (self._show_text, self._start_text):
            self.start.setText(text)
            widths.append(self.start.sizeHint().width())
        self.start.setMinimumWidth(max(widths))
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.add)
        row.addWidget(self.start)
        row.addWidget(self.start_another)
        row.addWidget(self.start_with)
        row.addStretch()
        row.addWidget(self._summary)
        row.addWidget(self._bars)
        row.addStretch()
        row.addWidget(self.settings)
        servers.totalsChanged.connect(self._render)
        models.selectionChanged.connect(self._render_selection)
        # The servers of models begin and end.
        models.table.dataChanged.connect(self._render_selection)
        self._render(servers.totals)
        self._render_selection()

    def tell_shortcuts(self, actions: Actions) -> None:
        """In the tool tips: the menus tell them only to those who look there."""
        tell_shortcut(self.add, actions.add_models)
        tell_shortcut(self.start, actions.start)
        tell_shortcut(self.start_another, actions.start_another)
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
        else:
            text = self.tr("{count} running").format(count=totals.running)
        self._summary.setText(text)
        self._fit()

    @Slot()
    def _render_selection(self) -> None:
        selected = self._models.selected
        for control in (self.start, self.start_with):
            control.setEnabled(selected is not None and selected.is_model)
        self._runs = selected is not None and selected.state is not None and is_live(selected.state)
        text = self._show_text if self._runs else self._start_text
        if text != self.start.text():
            self.start.setText(text)
        self._fit()

    def _fit(self) -> None:
        """In a narrow window the menus have the one button, and words are enough for what runs."""
        parts = (self.add, self.start, self.start_with, self._bars, self.settings, self._summary, self.start_another)
        spacing = 2 * max(0, self._row.spacing())
        is_short = self.width() < sum(part.sizeHint().width() + spacing for part in parts)
        self.start_another.setVisible(self._runs and not is_short)
        self._bars.set_short(is_short)
        buttons = (self.add, self.start, self.start_with, self.settings)
        needed = sum(part.sizeHint().width() + spacing for part in (*buttons, self._summary))
        self._summary.setHidden(is_short and (self._bars.tells or self.width() < needed))

    @override
    def minimumSizeHint(self) -> QSize:
        """Of the short form: without this, a wide window would stay wide."""
        hint = super().minimumSizeHint()
        more = [part for part in (self.start_another, self._summary) if not part.isHidden()]
        width = hint.width() - sum(part.sizeHint().width() + max(0, self._row.spacing()) for part in more)
        return QSize(width - self._bars.shrinks_by, hint.height())

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @property
    def _start_text(self) -> str:
        return self.tr("Start")

    @property
    def _show_text(self) -> str:
        return self.tr("Show server")
