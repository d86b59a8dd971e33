"""The inside of an endpoint's open panel: where it is, which model is used, what was seen of it, and the pages."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.card import HALF_GRID
from gglib_desktop.views.servers.model_choice import ModelChoice
from gglib_desktop.views.servers.panel.pages import Pages
from gglib_desktop.views.servers.panel_frame import PanelBody
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.endpoints import endpoint_description, key_problem_text

_COPIED_MS = 1500


class EndpointBody(PanelBody):
    """The sentence about its state is there as long as it is not well."""

    def __init__(self, endpoint: EndpointViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._endpoint = endpoint
        # Tab goes through widgets in the order in which they were made.
        self._access = _AccessRow(endpoint, self)
        self._trouble = WrapLabel(parent=self)
        self._trouble.setObjectName("trouble")
        self.pages = Pages(endpoint, self)
        self.pages.grown.connect(self.grown)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_GRID)
        layout.addWidget(self._access)
        layout.addWidget(self._trouble)
        layout.addWidget(self.pages, 1)

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._access.show_state(state)
        text = self._trouble_text(state)
        if text != self._trouble.text():
            self._trouble.setText(text)
        self._trouble.setVisible(bool(text))
        self.pages.show_state(state)

    def _trouble_text(self, state: ServerPanelState) -> str:
        assert isinstance(state.state, EndpointState)
        texts = [key_problem_text(state.key_problem)] if state.key_problem else []
        if state.state.health is not EndpointHealth.HEALTHY:
            texts.append(endpoint_description(state.state))
        if state.asks_for_key and self._endpoint.is_readable_by_others:
            texts.append(self.tr("Its address is not encrypted: computers on the way can read the key and all chats."))
        return " ".join(texts)


class _AccessRow(QWidget):
    """Where it is reached, as what, and with which key."""

    def __init__(self, endpoint: EndpointViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown = endpoint
        self._endpoint = CopyableLabel(self, Qt.TextElideMode.ElideMiddle)
        self._endpoint.setObjectName("endpoint")
        self._model = ModelChoice(endpoint, self)
        self._copy_key = push_button("copyKey", self.tr("Copy key"), self, icon_name="copy")
        # The text changes for a moment; the width does not.
        self._copy_key.setMinimumWidth(self._copy_key.sizeHint().width())
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._say_copy_again)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._endpoint, 1)
        row.addWidget(self._model)
        row.addWidget(self._copy_key)
        self._copy_key.clicked.connect(self._on_copy_key)

    def show_state(self, state: ServerPanelState) -> None:
        self._endpoint.setText(state.endpoint)
        self._endpoint.setAccessibleName(f"Endpoint: {state.endpoint}")
        self._copy_key.setVisible(state.key_is_known)
        self._model.show_state(state)

    @Slot()
    def _on_copy_key(self) -> None:
        key = self._shown.api_key
        if key is not None:
            QGuiApplication.clipboard().setText(key)
            self._copy_key.setText(self.tr("Copied"))
            self._say_again.start()

    @Slot()
    def _say_copy_again(self) -> None:
        self._copy_key.setText(self._copy_key.accessibleName())
