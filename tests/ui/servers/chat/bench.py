"""The page over a scripted server."""

from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, cast

from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.servers.server import ProcessHandle
from gglib_desktop.domain.servers.states import Healthy
from gglib_desktop.domain.traffic.chat import ChatPiece
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.chat.chat import ChatViewModel
from gglib_desktop.viewmodels.servers.server import ServerPanelState, ServerViewModel
from gglib_desktop.views.servers.chat.conversation_view import ConversationView
from gglib_desktop.views.servers.chat.page import ChatPage
from tests.fakes.chats import ScriptedChats
from tests.fakes.waiting import poll
from tests.ui.finding import child

HANDLE = ProcessHandle(1, "Tiny", 4711, 9000, 0)


def panel_state(**changes: Any) -> ServerPanelState:
    unknown = dict.fromkeys(
        ("context_size", "slots", "busy_slots", "rss_bytes", "forecast", "draft_tokens", "min_probability")
    )
    state = ServerPanelState(
        title="Tiny",
        state=Healthy(HANDLE),
        port=9000,
        endpoint="http://127.0.0.1:9000/v1",
        adopted=False,
        command_line="",
        **cast(Any, unknown),
    )
    return replace(state, **changes)


@dataclass
class OneServer:
    """As much of a server's view-model as a chat page uses."""

    chat: ChatViewModel
    scope: TaskScope
    state: ServerPanelState = field(default_factory=panel_state)

    def run(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        self.scope.start(coroutine, name=name)


class Bench:
    """A page on the screen, and the server that answers in it."""

    def __init__(self, scope: TaskScope, top: QWidget) -> None:
        self.server = ScriptedChats()
        self.chat = ChatViewModel(scope, lambda: self.server)
        self.one = OneServer(self.chat, scope)
        self.chat.show(self.one.state)
        self.top = top
        QVBoxLayout(top)
        self.page = self.new_page()
        top.resize(760, 560)
        top.show()

    def new_page(self) -> ChatPage:
        page = ChatPage(cast(ServerViewModel, self.one), self.top)
        page.show_state(self.one.state)
        layout = self.top.layout()
        assert layout is not None
        layout.addWidget(page)
        return page

    def show_state(self, **changes: Any) -> None:
        self.one.state = panel_state(**changes)
        self.chat.show(self.one.state)
        self.page.show_state(self.one.state)

    async def said(self, *pieces: ChatPiece | float, question: str = "Hello?") -> str:
        """The conversation, once the answer that is made of ``pieces`` is written."""
        self.server.pieces = list(pieces)
        self.chat.send(question)
        await poll(lambda: not self.chat.state.is_answering)
        return await self.written()

    async def written(self) -> str:
        await poll(lambda: not self.conversation._work)
        return self.conversation.toPlainText()

    @property
    def conversation(self) -> ConversationView:
        return child(self.page, ConversationView, "chatConversation")

    @property
    def message(self) -> QPlainTextEdit:
        return child(self.page, QPlainTextEdit, "chatMessage")

    def button(self, name: str) -> QPushButton:
        return child(self.page, QPushButton, name)
