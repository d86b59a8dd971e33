"""The line of a panel about who can reach the server, with the button that copies the key."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.servers.panel.exposed_mark import ExposedMark
from gglib_desktop.views.widgets.labels.elided import ElidedLabel


class AccessLine(QWidget):
    """Hidden if only this computer reaches the server and no key is needed; exposed ones show it when folded."""

    def __init__(self, copy_key: QPushButton, parent: QWidget) -> None:
        super().__init__(parent)
        self._mark = ExposedMark(self)
        self._text = ElidedLabel(self)
        self._text.setObjectName("access")
        self._copy_key = copy_key
        self._state: ServerPanelState | None = None
        self._folded = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._mark)
        layout.addWidget(self._text, 1)
        layout.addWidget(copy_key)

    def set_folded(self, folded: bool) -> None:
        self._folded = folded
        self._render()

    def show_state(self, state: ServerPanelState) -> None:
        self._state = state
        self._render()

    def _render(self) -> None:
        state = self._state
        if state is None:
            return
        keyed = bool(state.asks_for_key) and state.can_answer
        description = self._description(state)
        self._mark.setVisible(state.exposed)
        self._mark.setToolTip(description)
        self._mark.setAccessibleDescription(description)
        self._text.setText(self._short_text(state))
        self._copy_key.setVisible(state.key_is_known and not self._folded)
        self.setVisible(state.exposed or (keyed and not self._folded))

    def _short_text(self, state: ServerPanelState) -> str:
        where = ", ".join(state.other_endpoints[:1])
        key = ""
        if state.asks_for_key is not None:
            key = self.tr("key required") if state.asks_for_key else self.tr("no key required")
        return " · ".join(text for text in (where, key) if text)

    def _description(self, state: ServerPanelState) -> str:
        reached = self.tr("Other computers can reach this server.")
        if state.other_endpoints:
            reached = self.tr("Other computers can reach this server at {urls}.").format(
                urls=", ".join(state.other_endpoints)
            )
        if state.asks_for_key is None:
            return reached
        if state.asks_for_key:
            return f"{reached} {self.tr('It answers only who shows the key.')}"
        return f"{reached} {self.tr('It asks nobody for a key; a restart from here makes it ask.')}"
