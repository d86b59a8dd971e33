"""What a server starts with next: the usual choices, and all others one fold away."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.domain.launch.options import MtpReason
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.launch.option_flow import OptionFlow
from gglib_desktop.views.launch.option_form import OptionForm
from gglib_desktop.views.look.card import GRID, HALF_GRID
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.expander import Expander


class SettingsPage(Page):
    """Marks what was changed. It is in force from the next start on, or at once by *Apply and restart*."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._options = server.options
        self._flow = OptionFlow(server.options.form, self)
        self._more = Expander("moreOptions", self)
        self._more.setText(self.tr("More options"))
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.show_expanded(False, self.tr("More options"))
        self._rest: OptionForm | None = None
        self._shows_all = False
        self._note = QLabel(self)
        self._note.setObjectName("settingsNote")
        self._apply = push_button("applyAndRestart", self.tr("Apply and restart"), self, icon_name="restart")
        self._revert = push_button("revert", self.tr("Revert"), self, icon_name="reset")
        self._assemble()
        self._more.clicked.connect(self._on_more)
        self._apply.clicked.connect(self.restartRequested)
        self._revert.clicked.connect(server.options.revert.trigger)
        server.options.form.stateChanged.connect(self._show_drafting)
        self._show_drafting(server.options.form.state)

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._apply.setEnabled(state.can_apply and state.can_restart)
        self._revert.setEnabled(self._options.is_changed)
        changed = self.tr("Changed. Used from the next start on.") if state.can_apply else ""
        if changed != self._note.text():
            self._note.setText(changed)

    def _assemble(self) -> None:
        content = QWidget(self)
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        self._column.addWidget(self._flow)
        self._column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch()
        scroll = QScrollArea(self)
        scroll.setObjectName("serverSettings")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        buttons = QHBoxLayout()
        buttons.addWidget(self._note, 1)
        buttons.addWidget(self._revert)
        buttons.addWidget(self._apply)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, HALF_GRID, 0, 0)
        layout.setSpacing(HALF_GRID)
        layout.addWidget(scroll, 1)
        layout.addLayout(buttons)

    @Slot()
    def _on_more(self) -> None:
        if self._rest is None:
            self._rest = OptionForm(self._options.form, self, without=self._flow.names, scrolls=False)
            self._column.insertWidget(self._column.indexOf(self._more) + 1, self._rest)
            for before, after in pairwise((self._rest.last_stop, self._revert, self._apply)):
                QWidget.setTabOrder(before, after)
            self.grown.emit()
        self._shows_all = not self._shows_all
        self._rest.setVisible(self._shows_all)
        self._more.show_expanded(self._shows_all, self.tr("More options"))
        self._show_drafting(self._options.form.state)

    @Slot(object)
    def _show_drafting(self, state: FormState) -> None:
        """Only where the model can, or all options are shown."""
        self._flow.show_drafting(self._shows_all or state.decision.reason is not MtpReason.NO_LAYERS)
