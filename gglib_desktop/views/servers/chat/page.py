"""The page on which a model is tried: a conversation with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.servers.chat.chat import ChatState
from gglib_desktop.viewmodels.servers.panel import PanelViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState
from gglib_desktop.views.servers.chat.conversation_view import ConversationView
from gglib_desktop.views.servers.chat.link_dialog import LinkDialog
from gglib_desktop.views.servers.chat.message_field import GrowingField
from gglib_desktop.views.servers.chat.message_row import MessageRow
from gglib_desktop.views.servers.chat.status import ChatStatus
from gglib_desktop.views.servers.chat.tools import ChatTools
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

_SYSTEM_LINES = 3
_LEAST_CONVERSATION_LINES = 5


class ChatPage(Page):
    """Shows the server's chat, which outlives this page."""

    def __init__(self, server: PanelViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._server = server
        self._chat = chat = server.chat
        # Tab goes through widgets in the order in which they were made.
        self._template = WrapLabel(self.tr("This model has no chat template: the engine uses ChatML."), self)
        self._template.setObjectName("chatTemplate")
        self._system = GrowingField("chatSystem", self.tr("System prompt"), self, most_lines=_SYSTEM_LINES)
        self._system.setPlaceholderText(self.tr("Instructions for the model"))
        self._system.setPlainText(chat.system)
        conversation = ConversationView(chat.conversation, self)
        # It takes what height there is: a page that wants more scrolls as a whole.
        conversation.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        conversation.setMinimumHeight(_LEAST_CONVERSATION_LINES * self.fontMetrics().lineSpacing())
        self._status = ChatStatus(self)
        self._row = MessageRow(chat, self)
        self._tools = ChatTools(chat, self)
        self._assemble(conversation)
        self._system.textChanged.connect(self._on_system)
        self._tools.reasoningToggled.connect(conversation.show_reasoning)
        self._row.grown.connect(self.grown)
        conversation.linkChosen.connect(self._on_link)
        chat.stateChanged.connect(self._render)
        self._render(chat.state)

    @override
    def take_focus(self) -> None:
        self._row.setFocus()

    @override
    def show_state(self, state: ServerPanelState) -> None:
        self._template.setVisible(state.lacks_template)
        self._tools.show_server(state)

    def _assemble(self, conversation: ConversationView) -> None:
        label = QLabel(self.tr("System prompt"), self)
        label.setBuddy(self._system)
        system = QHBoxLayout()
        system.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        system.addWidget(self._system, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self._template)
        layout.addLayout(system)
        layout.addWidget(conversation, 1)
        for part in (self._status, self._row, self._tools):
            layout.addWidget(part)

    @Slot(object)
    def _render(self, state: ChatState) -> None:
        self._status.show_chat(state)
        self._row.show_chat(state)
        self._tools.show_chat(state)

    @Slot()
    def _on_system(self) -> None:
        self._chat.system = self._system.toPlainText()

    @Slot(QUrl)
    def _on_link(self, url: QUrl) -> None:
        self._server.run(if_there(self, self._ask_about(url)), "open link")

    async def _ask_about(self, url: QUrl) -> None:
        if await ask(LinkDialog(url, self)) == QDialog.DialogCode.Accepted:
            QDesktopServices.openUrl(url)
