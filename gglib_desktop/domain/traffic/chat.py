"""A chat with a model: what is said, and what comes back of an answer while it is made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who says a message."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Picture:
    """An image file. ``kind`` is its media type, such as ``image/png``."""

    data: bytes = field(repr=False)
    kind: str


@dataclass(frozen=True)
class ChatMessage:
    """One message. Only questions have ``pictures``."""

    role: Role
    text: str
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class ChatRequest:
    """Asks for the answer to the last message. How the answer is sampled is left to the server, as it was started.

    ``model``: one of several that the server has; empty for its only one.
    """

    messages: tuple[ChatMessage, ...]
    system: str = ""
    model: str = ""


@dataclass(frozen=True)
class PromptRead:
    """``read_n`` of the ``total_n`` tokens of the prompt have been read, or were known already."""

    read_n: int
    total_n: int


@dataclass(frozen=True)
class AnswerText:
    """The next piece of an answer, of its ``reasoning``, or of both."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True)
class AnswerFigures:
    """What has been measured of an answer so far. None: not observed.

    ``speed`` is in tokens per second. ``accepted_n`` of ``draft_n`` drafted tokens are part of it.
    """

    gen_n: int
    speed: float | None = None
    draft_n: int | None = None
    accepted_n: int | None = None

    @property
    def accepted(self) -> float | None:
        """The accepted share of what was drafted, from 0 to 1."""
        return self.accepted_n / self.draft_n if self.draft_n and self.accepted_n is not None else None


class AnswerEnd(StrEnum):
    """Why an answer ended. ``LIMIT``: the context is full, or the answer has as many tokens as it may."""

    COMPLETE = "complete"
    LIMIT = "limit"


ChatPiece = PromptRead | AnswerText | AnswerFigures | AnswerEnd
# Closing it ends the request. Raises: ChatError.
Answer = AsyncGenerator[ChatPiece, None]
AskChat = Callable[[ChatRequest], Answer]
