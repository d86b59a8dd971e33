"""What llama-server adds to a chat: how far it has read, what it has measured, and why it refuses."""

from __future__ import annotations

import re
from typing import Any

from typing_extensions import override

from gglib_desktop.domain.errors import ChatRefused, KeyRefused, PicturesRefused, PromptTooLong
from gglib_desktop.domain.openai import chat as openai
from gglib_desktop.domain.openai.chat import count_in, error_code, reason_in
from gglib_desktop.domain.traffic.chat import AnswerFigures, ChatRequest, PromptRead

CHAT_PATH = "/v1/chat/completions"
TOLD = {"return_progress": True, "timings_per_token": True}
"""What it is asked to tell beside the answer."""
_UNAUTHORIZED = 401
_NO_PICTURES = "image input is not supported"
_TOO_LONG = re.compile(r"request \((\d{1,12}) tokens\) exceeds the available context size \((\d{1,12}) tokens\)")
# No server, but a number that JSON can express.
_TOO_FAST = 1e9


def chat_body(request: ChatRequest) -> bytes:
    """The question. With pictures this takes long."""
    return openai.chat_body(request, **TOLD)


class AnswerReader(openai.AnswerReader):
    """Reads one answer of llama-server."""

    @override
    def progress(self, told: dict[str, Any]) -> PromptRead | None:
        progress = told.get("prompt_progress")
        if not isinstance(progress, dict):
            return None
        total, processed = count_in(progress.get("total")), count_in(progress.get("processed"))
        return PromptRead(min(processed, total), total) if total and processed is not None else None

    @override
    def figures(self, told: dict[str, Any]) -> AnswerFigures | None:
        """None before the first token."""
        timings = told.get("timings")
        generated = count_in(timings.get("predicted_n")) if isinstance(timings, dict) else None
        if not isinstance(timings, dict) or not generated:
            return None
        speed = timings.get("predicted_per_second")
        # The first token belongs to the prompt, so one alone has no speed.
        is_known = generated > 1 and isinstance(speed, float | int) and 0 < speed < _TOO_FAST
        drafted, accepted = count_in(timings.get("draft_n")), count_in(timings.get("draft_n_accepted"))
        return AnswerFigures(generated, speed if is_known else None, drafted, accepted)

    @override
    def refused(self, error: dict[str, Any], status: int | None = None) -> ChatRefused:
        reason = reason_in(error, status)
        if _UNAUTHORIZED in {status, error_code(error)}:
            return KeyRefused(reason)
        if _NO_PICTURES in reason:
            return PicturesRefused(reason)
        said = _TOO_LONG.search(reason)
        return PromptTooLong(reason, int(said[1]), int(said[2])) if said else ChatRefused(reason)
