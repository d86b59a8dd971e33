"""The question for an answer of a known length, and what llama-server tells with it."""

from __future__ import annotations

import json

from gglib_desktop.domain.errors import AnswerCut
from gglib_desktop.domain.openai.chat import count_in, text_in
from gglib_desktop.domain.traffic.completion import Completion, CompletionRequest

COMPLETION_PATH = "/completion"
NO_CACHE = ("--cache-ram", "0")
"""Answers to earlier questions are not kept."""


def completion_body(request: CompletionRequest) -> bytes:
    """How it is sampled is left to the server."""
    return json.dumps(
        {
            "prompt": request.prompt,
            "n_predict": request.tokens,
            "seed": request.seed,
            "ignore_eos": True,
            "cache_prompt": False,
        }
    ).encode()


def completion_told(answer: bytes) -> Completion:
    """Raises: AnswerCut if it tells no times."""
    try:
        told = json.loads(answer)
        timings = told["timings"]
        return Completion(
            text_in(told.get("content")),
            timings["predicted_n"],
            timings["prompt_n"],
            float(timings["prompt_ms"]),
            float(timings["predicted_ms"]),
            count_in(timings.get("draft_n")) or 0,
            count_in(timings.get("draft_n_accepted")) or 0,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise AnswerCut("the engine does not tell how long an answer took") from exc
