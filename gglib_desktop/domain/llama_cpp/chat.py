"""A chat as llama-server speaks it: the question as JSON, the answer as server-sent events."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from gglib_desktop.domain.errors import AnswerCut, ChatRefused, KeyRefused, PicturesRefused, PromptTooLong
from gglib_desktop.domain.traffic.chat import (
    AnswerEnd,
    AnswerFigures,
    AnswerText,
    ChatMessage,
    ChatPiece,
    ChatRequest,
    PromptRead,
)

CHAT_PATH = "/v1/chat/completions"
_UNAUTHORIZED = 401
_NO_PICTURES = "image input is not supported"
_TOO_LONG = re.compile(r"request \((\d{1,12}) tokens\) exceeds the available context size \((\d{1,12}) tokens\)")
_LONGEST_LINE_BYTES = 2**20
# Builds of 2025 name the second one when an answer fails.
_FIELDS = (b"data", b"error")
_LIMIT = "length"
# No server, but a number that JSON can express.
_TOO_FAST = 1e9
_SURROGATE = re.compile("[\ud800-\udfff]")


def chat_body(request: ChatRequest) -> bytes:
    """The question. With pictures this takes long, so not on the event loop then."""
    said: list[dict[str, object]] = [{"role": "system", "content": request.system}] if request.system else []
    said += map(_message, request.messages)
    return json.dumps({"messages": said, "stream": True, "return_progress": True, "timings_per_token": True}).encode()


def refusal(status: int, body: bytes) -> ChatRefused:
    """The reason in an answer that is none."""
    error = _parsed(body).get("error")
    return _refusal(error if isinstance(error, dict) else {}, status)


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
            text += _text(delta.get("content"))
            reasoning += _text(delta.get("reasoning_content"))
            read = _progress(told.get("prompt_progress")) or read
            figures = _figures(told.get("timings")) or figures
            end = end or reason
        self._has_end = self._has_end or end is not None
        said = AnswerText(_whole(text), _whole(reasoning)) if text or reasoning else None
        yield from (piece for piece in (read, said, figures, end) if piece is not None)
        if error is not None:
            raise _refusal(error if isinstance(error, dict) else {"message": error})

    def end(self) -> None:
        """No more bytes come. Raises: AnswerCut if the answer had no end."""
        if not self._has_end:
            raise AnswerCut("the connection to the server ended in mid-answer")


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


def _progress(told: object) -> PromptRead | None:
    if not isinstance(told, dict):
        return None
    total, processed = _count(told.get("total")), _count(told.get("processed"))
    return PromptRead(min(processed, total), total) if total and processed is not None else None


def _figures(told: object) -> AnswerFigures | None:
    """None before the first token."""
    generated = _count(told.get("predicted_n")) if isinstance(told, dict) else None
    if not isinstance(told, dict) or not generated:
        return None
    speed = told.get("predicted_per_second")
    # The first token belongs to the prompt, so one alone has no speed.
    is_known = generated > 1 and isinstance(speed, float | int) and 0 < speed < _TOO_FAST
    drafted, accepted = _count(told.get("draft_n")), _count(told.get("draft_n_accepted"))
    return AnswerFigures(generated, speed if is_known else None, drafted, accepted)


def _refusal(error: dict[str, Any], status: int | None = None) -> ChatRefused:
    reason = _whole(_text(error.get("message"))).strip() or ("no reason given" if status is None else f"HTTP {status}")
    if _UNAUTHORIZED in {status, error.get("code")}:
        return KeyRefused(reason)
    if _NO_PICTURES in reason:
        return PicturesRefused(reason)
    said = _TOO_LONG.search(reason)
    return PromptTooLong(reason, int(said[1]), int(said[2])) if said else ChatRefused(reason)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(text: str) -> str:
    """Without halves of characters, which JSON can express and nothing can show."""
    return _SURROGATE.sub("\ufffd", text)
