"""What the panels of all servers have in common, whether this program runs them or somebody else."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.servers.figures import FiguresViewModel

if TYPE_CHECKING:
    from gglib_desktop.domain.servers.snippets import ClientAccess
    from gglib_desktop.domain.traffic.chat import AskChat
    from gglib_desktop.viewmodels.servers.chat.chat import ChatViewModel
    from gglib_desktop.viewmodels.servers.server import ServerPanelState


class PanelViewModel(ViewModel):
    """One server that is shown. Those that say more than one line do not look alike; this part does."""

    stateChanged = Signal(object)  # ServerPanelState

    def __init__(self, scope: TaskScope) -> None:
        super().__init__(scope)
        self.figures = FiguresViewModel()

    @property
    def id(self) -> int:
        """Of no other panel."""
        raise NotImplementedError

    @property
    def model_id(self) -> int | None:
        """The library's, if the model is in it."""
        return None

    @property
    def state(self) -> ServerPanelState:
        raise NotImplementedError

    @property
    def api_key(self) -> str | None:
        """What clients must show, if it is known."""
        return None

    def choose(self, model: str) -> None:
        """Uses that one of several models for chats and for other programs. Most servers have but one."""

    def asked(self) -> AskChat | None:
        """What answers chats now."""
        raise NotImplementedError

    @cached_property
    def chat(self) -> ChatViewModel:
        """A chat with its model, made when it is first used."""
        from gglib_desktop.viewmodels.servers.chat.chat import ChatViewModel

        chat = ChatViewModel(self._scope, self.asked)
        self.stateChanged.connect(chat.show)
        chat.show(self.state)
        return chat

    def access(self, *, with_key: bool) -> ClientAccess:
        """What another program needs to use the server."""
        from gglib_desktop.domain.servers.snippets import ClientAccess

        state = self.state
        return ClientAccess(
            state.endpoint,
            state.client_name,
            asks_for_key=bool(state.asks_for_key),
            key=self.api_key if with_key else None,
            context=state.context_size,
        )
