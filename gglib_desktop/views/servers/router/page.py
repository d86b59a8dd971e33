"""The page with the models of a router: their states, and the buttons that load and unload them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.domain.servers.router.models import RoutedModel, RoutedState
from gglib_desktop.domain.servers.states import Failed, Healthy, Loading, Stopped
from gglib_desktop.viewmodels.servers.router.models import RoutedModels, RoutedModelsViewModel
from gglib_desktop.views.charts.share_bar import ShareBar
from gglib_desktop.views.look.card import GRID, HALF_GRID
from gglib_desktop.views.look.theme import Figure, state_icon
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.elided import ElidedLabel
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.router import long_state_text, routed_state_text

_NAME_CHARACTERS = 12


class ModelsPage(Page):
    """One line for each model."""

    def __init__(self, routed: RoutedModelsViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._routed = routed
        self._note = WrapLabel(parent=self)
        self._note.setObjectName("routedNote")
        self._lines: list[_Line] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(HALF_GRID)
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        layout.addWidget(self._note)
        layout.addLayout(self._column)
        layout.addStretch()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._routed.stateChanged.connect(self._show, Qt.ConnectionType.UniqueConnection)
        self._show(self._routed.state)

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._routed.stateChanged.disconnect(self._show)

    @Slot(object)
    def _show(self, state: RoutedModels) -> None:
        models = state.models or ()
        if state.models is None:
            note = self.tr("The models are listed once the router tells of them.")
        elif not state.is_current:
            note = self.tr("The router does not answer. This is what it said last.")
        else:
            note = self.tr("A request names its model, which is then loaded. Each runs with its own launch defaults.")
        if note != self._note.text():
            self._note.setText(note)
        before = len(self._lines)
        while len(self._lines) < len(models):
            line = _Line(self._routed, len(self._lines) + 1, self)
            self._lines.append(line)
            self._column.addWidget(line)
        for line, model in zip(self._lines, models, strict=False):
            line.show_model(model, is_current=state.is_current)
        for index, line in enumerate(self._lines):
            line.setVisible(index < len(models))
        if len(self._lines) > before:
            self.grown.emit()


class _Line(QWidget):
    """``number`` begins at 1."""

    def __init__(self, routed: RoutedModelsViewModel, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._routed = routed
        self._model = RoutedModel("")
        self._name = ElidedLabel(self)
        self._name.setObjectName(f"routedName{number}")
        self._name.setMinimumWidth(self._name.fontMetrics().averageCharWidth() * _NAME_CHARACTERS)
        self._sign = StateSign(state_icon(Stopped.word), Stopped.word, self)
        self._state = QLabel(self)
        self._state.setObjectName(f"routedState{number}")
        # The longest text: nothing moves when the state changes.
        self._state.setMinimumWidth(self._state.fontMetrics().horizontalAdvance(long_state_text()))
        self._bar = ShareBar(Figure.PROMPT, self)
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        # The first to go where there is no room.
        policy.setHorizontalPolicy(QSizePolicy.Policy.Maximum)
        self._bar.setSizePolicy(policy)
        self._load = push_button(f"routedLoad{number}", self.tr("Load"), self)
        self._unload = push_button(f"routedUnload{number}", self.tr("Unload"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._sign)
        row.addWidget(self._name, 1)
        row.addWidget(self._state)
        row.addWidget(self._bar)
        row.addWidget(self._load)
        row.addWidget(self._unload)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._load.clicked.connect(self._on_load)
        self._unload.clicked.connect(self._on_unload)

    def show_model(self, model: RoutedModel, *, is_current: bool) -> None:
        self._model = model
        self._name.setText(model.name)
        text = routed_state_text(model)
        self._state.setText(text)
        self._state.setAccessibleName(f"{model.name}: {text}")
        word = _WORDS[model.state]
        self._sign.show_sign(state_icon(word), word)
        is_loading = model.state is RoutedState.LOADING
        self._bar.show_share(model.progress or 0.0)
        self._bar.setVisible(is_loading and model.progress is not None)
        self._load.setEnabled(is_current and model.can_load)
        self._unload.setEnabled(is_current and not model.can_load)
        self._load.setAccessibleName(self.tr("Load {model}").format(model=model.name))
        self._unload.setAccessibleName(self.tr("Unload {model}").format(model=model.name))

    @Slot()
    def _on_load(self) -> None:
        self._routed.load(self._model.name)

    @Slot()
    def _on_unload(self) -> None:
        self._routed.unload(self._model.name)


# Shapes and colors are those of servers in such a state.
_WORDS = {
    RoutedState.UNLOADED: Stopped.word,
    RoutedState.LOADING: Loading.word,
    RoutedState.LOADED: Healthy.word,
    RoutedState.FAILED: Failed.word,
}
