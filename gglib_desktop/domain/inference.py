"""Sampling parameters of a server."""

from __future__ import annotations

from dataclasses import dataclass

from gglib_desktop.domain.values import Limits, Value, limited


@dataclass(frozen=True, kw_only=True)
class InferenceConfig(Value):
    """Sampling parameters; None leaves each to the engine. Ranges as gglib checks them: the engine checks none."""

    temperature: float | None = limited(Limits(0, 2), default=None)
    top_p: float | None = limited(Limits(0, 1), default=None)
    top_k: int | None = limited(Limits(above=0), default=None)
    max_tokens: int | None = limited(Limits(above=0), default=None)
    repeat_penalty: float | None = limited(Limits(above=0), default=None)
    presence_penalty: float | None = limited(Limits(0, 2), default=None)
    min_p: float | None = limited(Limits(0, 1), default=None)
