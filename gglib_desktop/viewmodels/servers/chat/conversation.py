"""The turns of a chat, and the news about them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gglib_desktop.domain.traffic.chat import ChatMessage, ChatPiece, PromptRead, Role
from gglib_desktop.viewmodels.servers.chat.turns import Ending, GrowingAnswer, Turn


class Conversation(QObject):
    """Tells what is new only, because no view can show all of a long answer again for each of its words."""

    turnAdded = Signal(object)  # Turn; an answer has no text yet
    grown = Signal(object)  # AnswerText: what comes next in the answer that was added last
    turnEnded = Signal(object)  # Turn: the answer that was added last, whole
    turnsDropped = Signal(int)  # how many turns are left, the first ones

    def __init__(self) -> None:
        super().__init__()
        self._ended: list[Turn] = []
        self._answer: GrowingAnswer | None = None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What the signals have told so far; the last one may grow."""
        answer = self._answer
        return (*self._ended, answer.turn()) if answer is not None and answer.is_shown else tuple(self._ended)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """What the model is told."""
        return tuple(turn.message for turn in self._ended)

    @property
    def is_empty(self) -> bool:
        return not self._ended

    @property
    def last_answer(self) -> str:
        """The text of the newest answer that has ended."""
        return next((turn.text for turn in reversed(self._ended) if turn.role is Role.ASSISTANT), "")

    @property
    def answer_has_begun(self) -> bool:
        return self._answer is not None and self._answer.has_begun

    @property
    def progress(self) -> PromptRead | None:
        """How far the question has been read, until its answer begins."""
        return None if self._answer is None or self._answer.has_begun else self._answer.progress

    def add(self, question: Turn) -> None:
        self._ended.append(question)
        self.turnAdded.emit(question)

    def drop_last(self, role: Role) -> None:
        """Drops the last turn if it is one of ``role``."""
        if self._ended and self._ended[-1].role is role:
            self._ended.pop()
            self.turnsDropped.emit(len(self._ended))

    def clear(self) -> None:
        self._ended.clear()
        self.turnsDropped.emit(0)

    # -- an answer

    def begin_answer(self, asked_at: float) -> None:
        """It was asked for at ``asked_at``, by the clock of the loop, as are all times here."""
        self._answer = GrowingAnswer(asked_at)

    def take(self, piece: ChatPiece, now: float) -> None:
        """Keeps a piece of it for ``show_new``."""
        assert self._answer is not None
        self._answer.take(piece, now)

    def show_new(self) -> None:
        """Tells what has come since the last time."""
        answer = self._answer
        if answer is None:
            return
        was_shown, new = answer.is_shown, answer.take_new()
        if new is not None:
            if not was_shown:
                self.turnAdded.emit(Turn(Role.ASSISTANT))
            self.grown.emit(new)

    def end_answer(self, otherwise: Ending) -> Turn | None:
        """All of it, after ``show_new``; None if nothing came. ``otherwise``: how it ended if no end came."""
        answer, self._answer = self._answer, None
        if answer is None or not answer.has_begun:
            return None
        if not answer.is_shown:
            self.turnAdded.emit(Turn(Role.ASSISTANT))
        turn = answer.ended(otherwise)
        self._ended.append(turn)
        self.turnEnded.emit(turn)
        return turn
