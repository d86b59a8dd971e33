"""What the servers' side shows while there are no servers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.viewmodels.engine import EngineViewModel
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.views.look.type_scale import TypeSize, set_type
from gglib_desktop.views.words.errors import words_for_error


class NoServers(QWidget):
    """Says what to do next; without an engine, offers to choose one."""

    engineWanted = Signal()

    def __init__(self, engine: EngineViewModel, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._engine, self._models = engine, models
        self._title = QLabel(self)
        self._title.setObjectName("serversEmptyTitle")
        set_type(self._title, TypeSize.TITLE, strong=True)
        self._text = QLabel(self)
        self._text.setObjectName("serversEmpty")
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._choose = QPushButton(self.tr("Choose engine…"), self)
        self._choose.setObjectName("chooseEngine")
        self._choose.clicked.connect(self.engineWanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.addStretch(2)
        for label in (self._title, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addSpacing(6)
        layout.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        engine.stateChanged.connect(self._render)
        models.countChanged.connect(self._render)
        self._render()

    @Slot()
    def _render(self) -> None:
        problem = self._engine.state.problem
        self._choose.setVisible(problem is not None)
        if problem is not None:
            words = words_for_error(problem)
            title, text = words.summary, words.hint
        elif self._models.total == 0:
            title = self.tr("Your servers will appear here")
            text = self.tr("Add a model on the left to begin.")
        else:
            title, text = self.tr("No servers running"), self.tr("Select a model and press Start.")
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
