"""The choice among the models of one server."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox

_CHARACTERS = 16


class ModelChoice(QWidget):
    """Hidden for a server that lists no models. Nothing can be chosen where there is but one."""

    def __init__(self, server: PanelViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = QLabel(self.tr("&Model:"), self)
        self._model = WheelSafeComboBox(self)
        self._model.setObjectName("endpointModel")
        self._model.setAccessibleDescription(self.tr("The model for chats and for other programs"))
        self._model.setMinimumContentsLength(_CHARACTERS)
        self._model.setSizeAdjustPolicy(WheelSafeComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._name.setBuddy(self._model)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._name)
        row.addWidget(self._model)
        self._model.currentTextChanged.connect(server.choose)

    def show_state(self, state: ServerPanelState) -> None:
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
        self.setVisible(bool(names))
        self._model.setEnabled(len(names) > 1)
