"""The pages of a server's panel: the overview with its form, and the log."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from gglib_desktop.domain.servers.states import Loading, Stopping, Unresponsive
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.launch.option_flow import OptionFlow
from gglib_desktop.views.servers.log.view import LogView
from gglib_desktop.views.servers.panel.facts_line import facts_text
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget


class Pages(WheelSafeTabWidget):
    """Also shows how busy the server is, beside the tabs."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("pages")
        self.setDocumentMode(True)
        self._activity = QLabel(self)
        self._activity.setObjectName("activity")
        self._activity.setContentsMargins(0, 0, 0, 6)
        self.setCornerWidget(self._activity)
        self._overview = _Overview(server, self)
        self._log = LogView(server.log, self)
        self.addTab(self._overview, self.tr("Overview"))
        self.addTab(self._log, self.tr("Log"))
        self.currentChanged.connect(self._fit_to_page)
        self._fit_to_page()

    @property
    def shows_log(self) -> bool:
        return self.currentWidget() is self._log

    def show_log(self) -> None:
        self.setCurrentWidget(self._log)
        self._log.setFocus()

    def show_state(self, state: ServerPanelState) -> None:
        self._activity.setText(self._activity_text(state))
        self._activity.setAccessibleName(self._activity.text())
        self._overview.show_state(state)

    def _activity_text(self, state: ServerPanelState) -> str:
        if state.handle is None or isinstance(state.state, Loading):
            return self.tr("Activity: none")
        if state.slots is None or state.busy_slots is None or isinstance(state.state, Unresponsive):
            return self.tr("Activity: unknown")
        return self.tr("Activity: {busy} of {all} slots").format(busy=state.busy_slots, all=state.slots)

    @Slot()
    def _fit_to_page(self) -> None:
        """Takes the height of the visible page, not of the tallest one."""
        for page in (self._overview, self._log):
            is_shown = page is self.currentWidget()
            policy = QSizePolicy.Policy.Preferred if is_shown else QSizePolicy.Policy.Ignored
            page.setSizePolicy(policy, policy)


class _Overview(QWidget):
    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._facts = WrapLabel(parent=self)
        self._facts.setObjectName("facts")
        # The program's path is the least interesting part.
        self._command_line = CopyableLabel(self, Qt.TextElideMode.ElideLeft)
        self._command_line.setObjectName("commandLine")
        form = OptionFlow(server.options.form, self)
        self._apply = push_button("applyAndRestart", self.tr("Apply and restart"), self, icon_name="restart")
        self._apply.clicked.connect(server.options.restart.trigger)
        layout = QVBoxLayout(self)
        layout.addWidget(self._facts)
        layout.addWidget(self._command_line)
        layout.addWidget(form)
        layout.addWidget(self._apply, 0, Qt.AlignmentFlag.AlignRight)
        layout.addStretch()

    def show_state(self, state: ServerPanelState) -> None:
        self._facts.setText(facts_text(state))
        self._facts.setVisible(bool(self._facts.text()))
        self._command_line.setText(state.command_line)
        self._command_line.setVisible(bool(state.command_line))
        self._apply.setEnabled(state.can_apply and not isinstance(state.state, Stopping))
