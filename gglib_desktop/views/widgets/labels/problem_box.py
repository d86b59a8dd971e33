"""A banner in a dialog for the reason why it could not be accepted."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.servers.states import Degraded
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.words.errors import words_for_error


class ProblemBox(QFrame):
    """It keeps its place, so that nothing moves when it appears. ``name`` is the dialog's, for object names."""

    def __init__(self, name: str, parent: QWidget, *, lines: int = 3) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}Problem")
        self._text = QLabel()
        self._text.setObjectName(f"{name}ProblemText")
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setMinimumHeight(self._text.fontMetrics().lineSpacing() * lines)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(StateSign("warning", Degraded.word, self), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()

    def show_error(self, error: GglibError) -> None:
        words = words_for_error(error)
        self._text.setText("\n".join(text for text in (words.summary, words.hint) if text))
        self.setAccessibleName(self._text.text())
        self.show()

    def clear(self) -> None:
        self.hide()
