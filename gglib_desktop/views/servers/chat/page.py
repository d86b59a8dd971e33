"""The page on which a model is tried: a conversation with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.servers.states import Degraded
from gglib_desktop.viewmodels.servers.chat.chat import ChatState
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.servers.chat.attachments import Attachments
from gglib_desktop.views.servers.chat.conversation_view import ConversationView
from gglib_desktop.views.servers.chat.link_dialog import LinkDialog
from gglib_desktop.views.servers.chat.message_field import GrowingField, MessageField
from gglib_desktop.views.servers.chat.pictures import read_picture
from gglib_desktop.views.servers.panel.page import Page
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.state_sign import StateSign
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.words.conversation import drafts_text, obstacle_text, stats_text
from gglib_desktop.views.words.errors import words_for_error

_MESSAGE_LINES, _SYSTEM_LINES = 6, 3
_LEAST_CONVERSATION_LINES = 5


class ChatPage(Page):
    """What has been typed is the view-model's, so that it outlives this page."""

    def __init__(self, server: ServerViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._chat = chat = server.chat
        # Tab goes through widgets in the order in which they were made.
        self._template = WrapLabel(self.tr("This model has no chat template: the engine uses ChatML."), self)
        self._system = GrowingField("chatSystem", self.tr("System prompt"), self, most_lines=_SYSTEM_LINES)
        self._conversation = ConversationView(chat.conversation, self)
        self._progress = _ReadingBar(self)
        self._figures = WrapLabel(parent=self)
        self._notice = _Notice(self)
        self._attachments = Attachments(chat, self)
        self._message = MessageField("chatMessage", self.tr("Message"), self, most_lines=_MESSAGE_LINES)
        self._send = push_button("chatSend", self.tr("Send"), self)
        self._stop = push_button("chatStop", self.tr("Stop answer"), self)
        self._attach = push_button("attachImage", self.tr("Attach image…"), self)
        self._regenerate = push_button("regenerate", self.tr("Regenerate"), self)
        self._copy = push_button("copyAnswer", self.tr("Copy answer"), self)
        self._clear = push_button("clearChat", self.tr("Clear chat"), self)
        self._reasoning = QCheckBox(self.tr("Show reasoning"), self)
        self._engine_page = push_button("openEnginePage", self.tr("Open engine page"), self)
        self._name_parts()
        self._assemble()
        self._connect()
        self.setFocusProxy(self._message)
        self._render(chat.state)

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._template.setVisible(state.lacks_template)
        self._engine_page.setVisible(bool(state.engine_page))
        self._engine_page.setToolTip(state.engine_page)
        refuses = state.takes_images is False
        self._attach.setEnabled(not refuses)
        text = self.tr("This model takes no images.") if refuses else self.tr("An image for the next message")
        self._attach.setToolTip(text)
        self._attach.setAccessibleDescription(text)

    # -- assembling

    def _name_parts(self) -> None:
        self._template.setObjectName("chatTemplate")
        self._figures.setObjectName("chatFigures")
        self._reasoning.setObjectName("showReasoning")
        self._reasoning.setAccessibleName(self.tr("Show reasoning"))
        self._system.setPlaceholderText(self.tr("What the model is told before the conversation"))
        self._message.setPlaceholderText(self.tr("Message"))
        self._message.setToolTip(self.tr("Enter sends, Shift+Enter begins a new line"))
        self._message.setAccessibleDescription(self._message.toolTip())
        self._conversation.setMinimumHeight(_LEAST_CONVERSATION_LINES * self.fontMetrics().lineSpacing())

    def _assemble(self) -> None:
        label = QLabel(self.tr("System prompt"), self)
        label.setBuddy(self._system)
        system = QHBoxLayout()
        system.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        system.addWidget(self._system, 1)
        writing = QGridLayout()
        writing.addWidget(self._message, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        writing.addWidget(self._send, 0, 1)
        writing.addWidget(self._stop, 0, 2)
        writing.setColumnStretch(0, 1)
        buttons = (self._attach, self._regenerate, self._copy, self._clear, self._reasoning, self._engine_page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self._template)
        layout.addLayout(system)
        layout.addWidget(self._conversation, 1)
        layout.addWidget(self._progress)
        layout.addWidget(self._figures)
        layout.addWidget(self._notice)
        layout.addWidget(self._attachments)
        layout.addLayout(writing)
        layout.addWidget(FlowRow(buttons, self))

    def _connect(self) -> None:
        chat = self._chat
        self._system.setPlainText(chat.system)
        self._message.setPlainText(chat.draft)
        self._system.textChanged.connect(self._on_system)
        self._message.textChanged.connect(self._on_message)
        self._message.sent.connect(self._on_send)
        self._send.clicked.connect(self._on_send)
        self._stop.clicked.connect(chat.stop)
        self._regenerate.clicked.connect(chat.regenerate)
        self._clear.clicked.connect(chat.clear)
        self._copy.clicked.connect(self._on_copy)
        self._attach.clicked.connect(self._on_attach)
        self._reasoning.toggled.connect(self._conversation.show_reasoning)
        self._engine_page.clicked.connect(self._on_engine_page)
        self._conversation.linkChosen.connect(self._on_link)
        chat.stateChanged.connect(self._render)
        chat.draftChanged.connect(self._message.setPlainText)

    # -- showing

    @Slot(object)
    def _render(self, state: ChatState) -> None:
        self._progress.show_state(state)
        self._show_figures(state)
        self._notice.show_state(state)
        self._attachments.show_attached(state.attached)
        self._stop.setEnabled(state.is_answering)
        self._regenerate.setEnabled(state.can_regenerate)
        self._copy.setEnabled(state.has_answer)
        self._clear.setEnabled(not state.is_empty and not state.is_answering)
        self._render_send()

    def _render_send(self) -> None:
        state = self._chat.state
        self._send.setEnabled(state.can_send and bool(self._chat.draft.strip() or state.attached))

    def _show_figures(self, state: ChatState) -> None:
        stats = state.stats
        self._figures.setVisible(stats is not None)
        if stats is not None:
            name = self.tr("Answer: {figures}").format(figures=stats_text(stats))
            drafts = drafts_text(stats)
            self._figures.setText(f"{name}, {drafts}" if drafts else name)
            self._figures.setAccessibleName(name)
            self._figures.setAccessibleDescription(drafts)

    # -- acting

    @Slot()
    def _on_system(self) -> None:
        self._chat.system = self._system.toPlainText()

    @Slot()
    def _on_message(self) -> None:
        self._chat.draft = self._message.toPlainText()
        self._render_send()

    @Slot()
    def _on_send(self) -> None:
        self._chat.send(self._chat.draft)

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._chat.conversation.last_answer)

    @Slot()
    def _on_engine_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._server.state.engine_page))

    @Slot(QUrl)
    def _on_link(self, url: QUrl) -> None:
        self._server.run(if_there(self, self._ask_about(url)), "open link")

    async def _ask_about(self, url: QUrl) -> None:
        if await ask(LinkDialog(url, self)) == QDialog.DialogCode.Accepted:
            QDesktopServices.openUrl(url)

    @Slot()
    def _on_attach(self) -> None:
        dialog = QFileDialog(self, self.tr("Attach image"))
        dialog.setObjectName("attachImageDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([self.tr("Images (*.png *.jpg *.jpeg *.webp *.gif *.bmp)"), self.tr("All files (*)")])
        dialog.setDirectory(home_folder())
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot(list)
    def _on_files_chosen(self, names: list[str]) -> None:
        for path in map(Path, names):
            self._chat.attach(path.name, partial(read_picture, path))


class _ReadingBar(QProgressBar):
    """How much of the question has been read; without an end while that is not known."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chatProgress")
        self.setAccessibleName(self.tr("Reading prompt"))
        self.setFormat(self.tr("Reading prompt: %v of %m tokens"))
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(False)
        self.setSizePolicy(policy)

    def show_state(self, state: ChatState) -> None:
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

    def show_state(self, state: ChatState) -> None:
        text = words_for_error(state.problem).text if state.problem is not None else obstacle_text(state.obstacle)
        self._sign.setVisible(state.problem is not None)
        if text != self._text.text():
            self._text.setText(text)
            self._text.setAccessibleName(text)
        self.setVisible(bool(text))
