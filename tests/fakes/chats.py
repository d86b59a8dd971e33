"""A server that answers chats as a test says, in no time."""

import asyncio
from dataclasses import dataclass, field

from gglib_desktop.domain.traffic.chat import Answer, ChatPiece, ChatRequest


@dataclass
class ScriptedChats:
    """Gives ``pieces``, a number among them being seconds without any; then ``error``, if there is one.

    ``holds``: the answer has no end. ``closed`` counts the answers that were called off.
    """

    pieces: list[ChatPiece | float] = field(default_factory=list)
    error: Exception | None = None
    holds: bool = False
    asked: list[ChatRequest] = field(default_factory=list)
    closed: int = 0

    async def __call__(self, request: ChatRequest) -> Answer:
        self.asked.append(request)
        try:
            for piece in self.pieces:
                if isinstance(piece, int | float):
                    await asyncio.sleep(piece)
                else:
                    yield piece
            if self.holds:
                await asyncio.Event().wait()
            if self.error is not None:
                raise self.error
        except (GeneratorExit, asyncio.CancelledError):
            self.closed += 1
            raise
