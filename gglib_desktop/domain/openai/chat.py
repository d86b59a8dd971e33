"""A chat as OpenAI's API has it: the question as JSON, the answer as server-sent events."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from gglib_desktop.domain.errors import AnswerCut, ChatRefused, KeyRefused, NoSuchModel
from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    PromptRead,
)

_NO_ENTRY = frozenset({401, 403})
_NO_MODEL = "model_not_found"
# Of a model that is missing, and of a path that is.
_NOT_FOUND = 404
_LONGEST_LINE_BYTES = 2**20
# Some servers name the second one when an answer fails.
_FIELDS = (b"data", b"error")
_LIMIT = "length"
_LARGE_TEXT = 2**18
_SURROGATE = re.compile("[\ud800-\udfff]")


def chat_body(request: ChatRequest, **more: object) -> bytes:
    """The question, with what one server is told ``more``. With pictures this takes long."""
    said: list[dict[str, object]] = [{"role": "system", "content": request.system}] if request.system else []
    said += map(_message, request.messages)
    named = {"model": request.model} if request.model else {}
    return json.dumps({**named, "messages": said, "stream": True, **more}).encode()


def is_large(request: ChatRequest) -> bool:
    """Whether making its body takes longer than the event loop may be held up."""
    messages = request.messages
    return any(each.pictures for each in messages) or sum(len(each.text) for each in messages) > _LARGE_TEXT


class AnswerReader:
    """Reads one answer from its bytes, however they are cut. Nothing in them makes it raise but a ChatError."""

    def __init__(self) -> None:
        self._rest = b""
        self._has_end = False

    def feed(self, data: bytes) -> Iterator[ChatPiece]:
        """What these bytes tell, in as few pieces as possible. Raises: ChatRefused where the server gave up."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE_BYTES:
            raise AnswerCut("the server answers something that is no chat")
        read, figures, end, error = None, None, None, None
        text, reasoning = "", ""
        for told in filter(None, map(_event, lines)):
            error = told.get("error")
            if error is not None:
                break
            delta, reason = _choice(told)
            text += text_in(delta.get("content"))
            reasoning += text_in(delta.get("reasoning_content")) or text_in(delta.get("reasoning"))
            read = self.progress(told) or read
            figures = self.figures(told) or figures
            end = end or reason
        self._has_end = self._has_end or end is not None
        said = AnswerText(whole(text), whole(reasoning)) if text or reasoning else None
        yield from (piece for piece in (read, said, figures, end) if piece is not None)
        if error is not None:
            raise self.refused(error if isinstance(error, dict) else {"message": error})

    def end(self) -> None:
        """No more bytes come. Raises: AnswerCut if the answer had no end."""
        if not self._has_end:
            raise AnswerCut("the connection to the server ended in mid-answer")

    def refusal(self, status: int, body: bytes) -> ChatRefused:
        """The reason in an answer that is none."""
        error = _parsed(body).get("error")
        refused = self.refused(error if isinstance(error, dict) else {"message": error}, status)
        refused.status = status
        return refused

    # -- what is not the same for all servers

    def progress(self, told: dict[str, Any]) -> PromptRead | None:  # noqa: ARG002  # OpenAI's API tells none
        """How far the question has been read."""
        return None

    def figures(self, told: dict[str, Any]) -> AnswerFigures | None:
        """What has been measured so far."""
        usage = told.get("usage")
        generated = count_in(usage.get("completion_tokens")) if isinstance(usage, dict) else None
        return AnswerFigures(generated) if generated else None

    def refused(self, error: dict[str, Any], status: int | None = None) -> ChatRefused:
        reason = reason_in(error, status)
        if {status, error_code(error)} & _NO_ENTRY:
            return KeyRefused(reason)
        told = {status, error_code(error)}
        is_model = _NO_MODEL in told or (_NOT_FOUND in told and "model" in reason.lower())
        return NoSuchModel(reason) if is_model else ChatRefused(reason)


def reason_in(error: dict[str, Any], status: int | None) -> str:
    """The server's own words, if there are any."""
    unsaid = "no reason given" if status is None else f"HTTP {status}"
    return whole(text_in(error.get("message"))).strip() or unsaid


def error_code(error: dict[str, Any]) -> int | str | None:
    """What kind of error it is, as a number or a word."""
    code = error.get("code")
    return code if isinstance(code, int | str) else None


def count_in(value: object) -> int | None:
    """A value that counts something; None for any other."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_in(value: object) -> str:
    """A value that is a text; empty for any other."""
    return value if isinstance(value, str) else ""


def whole(text: str) -> str:
    """Without halves of characters, which JSON can express and nothing can show."""
    return _SURROGATE.sub("\ufffd", text)


def _message(message: ChatMessage) -> dict[str, object]:
    if not message.pictures:
        return {"role": message.role, "content": message.text}
    parts: list[dict[str, object]] = [{"type": "text", "text": message.text}]
    for picture in message.pictures:
        url = f"data:{picture.kind};base64,{base64.b64encode(picture.data).decode('ascii')}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": message.role, "content": parts}


def _event(line: bytes) -> dict[str, Any]:
    """The object in a line; empty where it has none, as in the last line."""
    name, colon, value = line.partition(b":")
    if not colon or name not in _FIELDS:
        return {}
    told = _parsed(value)
    return {"error": told} if told and name == _FIELDS[1] and "error" not in told else told


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _choice(told: dict[str, Any]) -> tuple[dict[str, Any], AnswerEnd | None]:
    """What was added to the answer, and why it ended, if it did."""
    choices = told.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta, reason = choice.get("delta"), choice.get("finish_reason")
    end = None if not isinstance(reason, str) else AnswerEnd.LIMIT if reason == _LIMIT else AnswerEnd.COMPLETE
    return delta if isinstance(delta, dict) else {}, end
