"""A chat with the model of one server, kept in memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gglib_desktop.domain.endpoints.state import EndpointHealth, EndpointState
from gglib_desktop.domain.errors import ChatError, GglibError, PictureUnusable
from gglib_desktop.domain.servers.states import Loading, Starting, Stopping
from gglib_desktop.domain.traffic.chat import AskChat, ChatPiece, ChatRequest, Picture, PromptRead, Role
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.chat.conversation import Conversation
from gglib_desktop.viewmodels.servers.chat.turns import AnswerStats, Attachment, Ending, Turn

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.servers.server import ServerPanelState

# Text is shown so often; more would cost more, and read no better.
_SHOWN_EVERY_S = 0.06


class Obstacle(StrEnum):
    """Why nothing can be asked now."""

    NOT_RUNNING = "the server does not run"
    LOADING = "the model is loading"
    NO_CHATS = "this engine has no chats"
    UNREACHABLE = "the server cannot be reached"
    NO_MODELS = "the server lists no models"


@dataclass(frozen=True)
class ChatState:
    """All that is shown beside the conversation.

    ``has_begun``: a part of the present answer is there; until then, ``progress`` is how far its question has been
    read. ``stats`` are those of the last answer, ``problem`` is why there is none, or only a part of one. ``attached``
    goes with the next question.
    """

    obstacle: Obstacle | None = Obstacle.NOT_RUNNING
    is_answering: bool = False
    has_begun: bool = False
    progress: PromptRead | None = None
    stats: AnswerStats | None = None
    problem: GglibError | None = None
    attached: tuple[Attachment, ...] = ()
    is_empty: bool = True
    has_answer: bool = False

    @property
    def can_send(self) -> bool:
        return self.obstacle is None and not self.is_answering

    @property
    def can_regenerate(self) -> bool:
        """The last question can be asked once more."""
        return self.can_send and not self.is_empty


class ChatViewModel(QObject):
    """Keeps the conversation for as long as the panel of its server stays, whatever becomes of the server.

    ``draft`` is what has been typed and not been sent; ``system`` what the model is told before all questions.
    """

    stateChanged = Signal(object)  # ChatState
    draftChanged = Signal(str)  # not by the user: it was sent, or is given back

    def __init__(self, scope: TaskScope, asked: Callable[[], AskChat | None]) -> None:
        super().__init__()
        self._scope = scope
        self._asked = asked
        # The question to be given back if there is no answer.
        self._sent: Turn | None = None
        self._asking: asyncio.Task[None] | None = None
        self._showing: asyncio.TimerHandle | None = None
        self._state = ChatState()
        self.conversation = Conversation()
        self.draft = ""
        self.system = ""

    @property
    def state(self) -> ChatState:
        return self._state

    def show(self, state: ServerPanelState) -> None:
        """Takes the news of the server."""
        if isinstance(state.state, Stopping):
            # A server that works on an answer may not stop by itself.
            self.stop()
        self._set(obstacle=self._obstacle(state))

    # -- talking

    def send(self, text: str) -> None:
        """Asks, unless there is nothing to ask or something in the way. Without any answer the text is given back."""
        attached, text = self._state.attached, text.strip()
        if not self._state.can_send or not (text or attached):
            return
        self._sent = Turn(Role.USER, text, attached=attached)
        self.conversation.add(self._sent)
        self._set(attached=())
        self._change_draft("")
        self._begin()

    @Slot()
    def stop(self) -> None:
        """Ends the answer; what has come of it stays."""
        if self._asking is not None:
            self._asking.cancel()

    @Slot()
    def regenerate(self) -> None:
        """Asks the last question once more, in place of its answer."""
        if self._state.can_regenerate:
            self.conversation.drop_last(Role.ASSISTANT)
            self._begin()

    @Slot()
    def clear(self) -> None:
        """Forgets the conversation; what has been typed stays."""
        if not self._state.is_answering:
            self.conversation.clear()
            self._set(problem=None, stats=None)

    def attach(self, name: str, read: Callable[[], Picture]) -> None:
        """``read`` runs in a thread. Raises there: PictureUnusable."""
        self._scope.start(self._attach(name, read), name="attach image")

    def detach(self, index: int) -> None:
        """Takes one of the attached images away."""
        attached = self._state.attached
        self._set(attached=attached[:index] + attached[index + 1 :])

    async def _attach(self, name: str, read: Callable[[], Picture]) -> None:
        try:
            picture = await asyncio.to_thread(read)
        except PictureUnusable as exc:
            self._set(problem=exc)
        else:
            self._set(attached=(*self._state.attached, Attachment(name, picture)), problem=None)

    # -- the answer

    def _begin(self) -> None:
        self.conversation.begin_answer(asyncio.get_running_loop().time())
        self._set(is_answering=True, problem=None, stats=None)
        self._asking = self._scope.start(self._ask(), name="chat")
        self._asking.add_done_callback(self._on_over)

    async def _ask(self) -> None:
        ask = self._asked()
        if ask is None:
            raise ChatError("there is no server to ask any more")
        request = ChatRequest(self.conversation.messages, self.system.strip())
        async with aclosing(ask(request)) as answer:
            async for piece in answer:
                self._take(piece)

    def _take(self, piece: ChatPiece) -> None:
        loop = asyncio.get_running_loop()
        self.conversation.take(piece, loop.time())
        if self._showing is None:
            self._showing = loop.call_later(_SHOWN_EVERY_S, self._show_new)

    def _show_new(self) -> None:
        self._showing = None
        self.conversation.show_new()
        self._set(progress=self.conversation.progress, has_begun=self.conversation.answer_has_begun)

    def _on_over(self, asking: asyncio.Task[None]) -> None:
        self._asking = None
        if self._showing is not None:
            self._showing.cancel()
        self._show_new()
        answer = self.conversation.end_answer(Ending.STOPPED if asking.cancelled() else Ending.CUT)
        if answer is None and self._sent is not None:
            self._give_back(self._sent)
        self._sent = None
        error = None if asking.cancelled() else asking.exception()
        self._set(
            is_answering=False,
            has_begun=False,
            progress=None,
            stats=answer.stats if answer is not None else None,
            problem=error if isinstance(error, GglibError) else None,
        )

    def _give_back(self, question: Turn) -> None:
        """A question without an answer can be changed and sent again, before what has been typed since."""
        self.conversation.drop_last(Role.USER)
        self._set(attached=(*question.attached, *self._state.attached))
        self._change_draft("\n\n".join(text for text in (question.text, self.draft) if text))

    # -- what is shown

    def _change_draft(self, text: str) -> None:
        self.draft = text
        self.draftChanged.emit(text)

    def _obstacle(self, state: ServerPanelState) -> Obstacle | None:
        if isinstance(state.state, EndpointState):
            return _obstacle_at(state.state, state.client_name)
        if isinstance(state.state, Starting | Loading):
            return Obstacle.LOADING
        if state.handle is None or isinstance(state.state, Stopping):
            return Obstacle.NOT_RUNNING
        if state.is_router and not state.client_name:
            return Obstacle.NO_MODELS
        return Obstacle.NO_CHATS if self._asked() is None else None

    def _set(self, **changes: Any) -> None:
        said = self.conversation
        state = replace(self._state, is_empty=said.is_empty, has_answer=bool(said.last_answer), **changes)
        if state != self._state:
            self._state = state
            self.stateChanged.emit(state)


def _obstacle_at(state: EndpointState, model: str) -> Obstacle | None:
    """Of an endpoint. One that is not well may answer all the same."""
    if state.health in {EndpointHealth.CHECKING, EndpointHealth.UNREACHABLE}:
        return Obstacle.UNREACHABLE
    if state.health is EndpointHealth.LOADING:
        return Obstacle.LOADING
    return None if model else Obstacle.NO_MODELS
