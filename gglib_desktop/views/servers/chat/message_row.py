"""Where the next message is written, and sent with its images."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from gglib_desktop.viewmodels.servers.chat.chat import ChatState, ChatViewModel
from gglib_desktop.views.servers.chat.attachments import Attachments
from gglib_desktop.views.servers.chat.message_field import MessageField
from gglib_desktop.views.widgets.buttons import push_button

_MESSAGE_LINES = 6


class MessageRow(QWidget):
    """What has been typed is the view-model's, so that it outlives this row."""

    grown = Signal()  # widgets were made

    def __init__(self, chat: ChatViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._chat = chat
        self._attachments = Attachments(chat, self)
        self._attachments.grown.connect(self.grown)
        self._message = MessageField("chatMessage", self.tr("Message"), self, most_lines=_MESSAGE_LINES)
        self._message.setPlaceholderText(self.tr("Message"))
        self._message.setToolTip(self.tr("Enter sends, Shift+Enter begins a new line"))
        self._message.setAccessibleDescription(self._message.toolTip())
        self._send = push_button("chatSend", self.tr("Send"), self)
        self._stop = push_button("chatStop", self.tr("Stop answer"), self)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._attachments, 0, 0, 1, 3)
        layout.addWidget(self._message, 1, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._send, 1, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._stop, 1, 2, Qt.AlignmentFlag.AlignTop)
        layout.setColumnStretch(0, 1)
        self._message.setPlainText(chat.draft)
        self._message.textChanged.connect(self._on_typed)
        self._message.sent.connect(self._on_send)
        self._send.clicked.connect(self._on_send)
        self._stop.clicked.connect(chat.stop)
        chat.draftChanged.connect(self._message.setPlainText)
        self.setFocusProxy(self._message)

    def show_chat(self, state: ChatState) -> None:
        self._attachments.show_attached(state.attached)
        self._stop.setEnabled(state.is_answering)
        self._render_send()

    def _render_send(self) -> None:
        state = self._chat.state
        self._send.setEnabled(state.can_send and bool(self._chat.draft.strip() or state.attached))

    @Slot()
    def _on_typed(self) -> None:
        self._chat.draft = self._message.toPlainText()
        self._render_send()

    @Slot()
    def _on_send(self) -> None:
        self._chat.send(self._chat.draft)
