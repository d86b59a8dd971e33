"""What is said about the answer that is awaited, or about the last one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from gglib_desktop.domain.servers.states import Degraded
from gglib_desktop.viewmodels.servers.chat.chat import ChatState
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.conversation import drafts_text, obstacle_text, stats_text
from gglib_desktop.views.words.errors import words_for_error


class ChatStatus(QWidget):
    """Progress, figures and problems, each only while there is any."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._progress = _ReadingBar(self)
        self._figures = WrapLabel(parent=self)
        self._figures.setObjectName("chatFigures")
        self._notice = _Notice(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._progress, self._figures, self._notice):
            layout.addWidget(part)

    def show_chat(self, state: ChatState) -> None:
        self._progress.show_chat(state)
        self._notice.show_chat(state)
        self._figures.setVisible(state.stats is not None)
        if state.stats is not None:
            name = self.tr("Answer: {figures}").format(figures=stats_text(state.stats))
            drafts = drafts_text(state.stats)
            self._figures.setText(f"{name}, {drafts}" if drafts else name)
            self._figures.setAccessibleName(name)
            self._figures.setAccessibleDescription(drafts)
        self.setVisible(any(not part.isHidden() for part in (self._progress, self._figures, self._notice)))


class _ReadingBar(QProgressBar):
    """How much of the question has been read; without an end while that is not known."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chatProgress")
        self.setAccessibleName(self.tr("Reading prompt"))
        self.setFormat(self.tr("Reading prompt: %v of %m tokens"))

    def show_chat(self, state: ChatState) -> None:
        self.setVisible(state.is_answering and not state.has_begun)
        if state.progress is None:
            self.setRange(0, 0)
        else:
            self.setRange(0, state.progress.total_n)
            self.setValue(state.progress.read_n)


class _Notice(QWidget):
    """Why there is no answer, or why nothing can be asked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._sign = StateSign("warning", Degraded.word, self)
        self._text = WrapLabel(parent=self)
        self._text.setObjectName("chatNotice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)

    def show_chat(self, state: ChatState) -> None:
        text = words_for_error(state.problem).text if state.problem is not None else obstacle_text(state.obstacle)
        self._sign.setVisible(state.problem is not None)
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)
        self.setVisible(bool(text))
