"""One answer of a known length, as it is asked for to measure a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CompletionRequest:
    """Asks for exactly ``tokens`` tokens, sampled as the server was started, but with a fixed seed and no cache."""

    prompt: str
    tokens: int
    seed: int


@dataclass(frozen=True)
class Completion:
    """What came of it. Times are the server's own, in milliseconds; ``draft_n`` tokens were drafted."""

    text: str
    tokens: int
    prompt_n: int
    prompt_ms: float
    gen_ms: float
    draft_n: int = 0
    accepted_n: int = 0
