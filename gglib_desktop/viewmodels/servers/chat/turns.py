"""What has been said in a chat, and the answer that grows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatPiece,
    Picture,
    PromptRead,
    Role,
)


class Ending(StrEnum):
    """How an answer ended. ``STOPPED`` by the user, ``CUT`` against anyone's will."""

    COMPLETE = "complete"
    LIMIT = "limit"
    STOPPED = "stopped"
    CUT = "cut"


@dataclass(frozen=True)
class AnswerStats:
    """How fast an answer came; None: not observed.

    ``first_token_s`` counts from the moment it was asked for. ``accepted`` is the accepted share of the drafts.
    """

    speed: float | None = None
    first_token_s: float | None = None
    accepted: float | None = None


@dataclass(frozen=True)
class Attachment:
    """An image that goes with a question, and the name of its file."""

    name: str
    picture: Picture


@dataclass(frozen=True)
class Turn:
    """A question, or an answer. ``ending`` and ``stats`` belong to answers that have ended."""

    role: Role
    text: str = ""
    reasoning: str = ""
    attached: tuple[Attachment, ...] = ()
    ending: Ending | None = None
    stats: AnswerStats = AnswerStats()

    @property
    def message(self) -> ChatMessage:
        """What the model is told of it."""
        return ChatMessage(self.role, self.text, tuple(each.picture for each in self.attached))


class GrowingAnswer:
    """Collects the pieces of an answer that was asked for at ``asked_at``, by the clock of the loop."""

    def __init__(self, asked_at: float) -> None:
        self._asked_at = asked_at
        self._shown: list[AnswerText] = []
        self._new: list[AnswerText] = []
        self._figures: AnswerFigures | None = None
        self._first_token_s: float | None = None
        self._end: AnswerEnd | None = None
        self.progress: PromptRead | None = None

    @property
    def has_begun(self) -> bool:
        """Something of it has come, if only its end."""
        return self._first_token_s is not None or self._end is not None

    @property
    def is_shown(self) -> bool:
        """``take_new`` has given a part of it."""
        return bool(self._shown)

    def take(self, piece: ChatPiece, now: float) -> None:
        match piece:
            case AnswerText():
                if self._first_token_s is None:
                    self._first_token_s = now - self._asked_at
                self._new.append(piece)
            case PromptRead():
                self.progress = piece
            case AnswerFigures():
                self._figures = piece
            case AnswerEnd():
                self._end = piece

    def take_new(self) -> AnswerText | None:
        """What has come since the last call."""
        new = _joined(self._new)
        self._new.clear()
        if new == AnswerText():
            return None
        self._shown.append(new)
        return new

    def turn(self) -> Turn:
        """All that ``take_new`` has given."""
        said = _joined(self._shown)
        return Turn(Role.ASSISTANT, said.text, said.reasoning)

    def ended(self, otherwise: Ending) -> Turn:
        """All of it. ``otherwise`` is how it ended if the server did not say so."""
        stats = AnswerStats(
            speed=self._figures.speed if self._figures else None,
            first_token_s=self._first_token_s,
            accepted=self._figures.accepted if self._figures else None,
        )
        return replace(self.turn(), ending=Ending(self._end) if self._end else otherwise, stats=stats)


def _joined(pieces: list[AnswerText]) -> AnswerText:
    return AnswerText("".join(each.text for each in pieces), "".join(each.reasoning for each in pieces))
