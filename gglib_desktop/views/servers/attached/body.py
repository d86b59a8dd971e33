"""The inside of an endpoint's open panel: where it is, which model is used, what was seen of it, and the pages."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.viewmodels.servers.endpoint import EndpointViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.look.card import HALF_GRID
from gglib_desktop.views.servers.panel.pages import Pages
from gglib_desktop.views.servers.panel_frame import PanelBody
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import CopyableLabel
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.endpoints import endpoint_description, key_problem_text

_COPIED_MS = 1500
_MODEL_CHARACTERS = 16


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
        self._name = QLabel(self.tr("&Model:"), self)
        self._model = WheelSafeComboBox(self)
        self._model.setObjectName("endpointModel")
        self._model.setAccessibleDescription(self.tr("The model for chats and for other programs"))
        self._model.setMinimumContentsLength(_MODEL_CHARACTERS)
        self._model.setSizeAdjustPolicy(WheelSafeComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._name.setBuddy(self._model)
        self._copy_key = push_button("copyKey", self.tr("Copy key"), self, icon_name="copy")
        # The text changes for a moment; the width does not.
        self._copy_key.setMinimumWidth(self._copy_key.sizeHint().width())
        self._say_again = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._say_again.timeout.connect(self._say_copy_again)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._endpoint, 1)
        for widget in (self._name, self._model, self._copy_key):
            row.addWidget(widget)
        self._copy_key.clicked.connect(self._on_copy_key)
        self._model.currentTextChanged.connect(endpoint.choose)

    def show_state(self, state: ServerPanelState) -> None:
        self._endpoint.setText(state.endpoint)
        self._endpoint.setAccessibleName(f"Endpoint: {state.endpoint}")
        self._copy_key.setVisible(state.key_is_known)
        self._show_models(state)

    def _show_models(self, state: ServerPanelState) -> None:
        """One that is used and not listed any more stays to be seen."""
        names = list(state.models)
        if state.client_name and state.client_name not in names:
            names.insert(0, state.client_name)
        with QSignalBlocker(self._model):
            if names != [self._model.itemText(index) for index in range(self._model.count())]:
                self._model.clear()
                self._model.addItems(names)
            self._model.setCurrentText(state.client_name)
            self._model.setToolTip(state.client_name)
        for widget in (self._name, self._model):
            widget.setVisible(bool(names))
        self._model.setEnabled(len(names) > 1)

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
