"""A request that llama.cpp's log has told of in part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow

_MS = r"(\d{1,12}\.\d+) ms / *(\d{1,12}) tokens"
_PROMPT = re.compile(rf"prompt +eval time = *{_MS}")
_SPEED = r"(?: *\( *(\d{1,12}\.\d+) ms per token, *(\d{1,12}\.\d+) tokens per second)?"
_GENERATION = re.compile(rf"(?<!prompt )(?<!prompt  )\beval time = *{_MS}{_SPEED}")
_DRAFTS = re.compile(r"draft acceptance(?: rate)? = *[\d.]+ *\( *(\d{1,12}) accepted / *(\d{1,12}) generated")
# Said before any work was done, and in the midst of it.
_TOO_LONG = re.compile("exceeds the available context|too large to process|larger than the max")
_NO_ROOM = "Context size has been exceeded"


class Mark(StrEnum):
    """What was said of a request besides figures.

    ``CHILD``: it is a further answer to the prompt of another one. ``REFUSED``: its prompt was too long.
    ``EXCEEDED``: no room was left in the memory that slots share. ``LOST``: a part of the log is missing since its
    launch.
    """

    CHILD = "child"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXCEEDED = "exceeded"
    FAILED = "failed"
    TRUNCATED = "truncated"
    SHIFTED = "shifted"
    LOST = "lost"


@dataclass
class Timings:
    """The figures at the end of a request. ``uptime_s``: when they were written, since the start of the server."""

    uptime_s: float | None = None
    prompt_n: int | None = None
    prompt_ms: float | None = None
    gen_n: int | None = None
    gen_ms: float | None = None
    timed_n: int | None = None
    draft_n: int | None = None
    accepted_n: int | None = None

    def read(self, text: str, uptime_s: float | None) -> None:
        """Takes what a line says. What is known already stays."""
        prompt = _PROMPT.search(text)
        if self.uptime_s is None and (prompt or not text.strip()):
            # In 2025 the figures came on further lines, below an empty one.
            self.uptime_s = uptime_s
        if self.prompt_n is None and prompt:
            self.prompt_ms, self.prompt_n = float(prompt[1]), int(prompt[2])
        if self.gen_n is None and (generation := _GENERATION.search(text)):
            self.gen_ms, self.gen_n = float(generation[1]), int(generation[2])
            self.timed_n = _timed_tokens(self.gen_ms, self.gen_n, generation[3], generation[4])
        if self.draft_n is None and (drafts := _DRAFTS.search(text)):
            self.accepted_n, self.draft_n = int(drafts[1]), int(drafts[2])


@dataclass
class OpenRequest:
    """A request from its launch until nothing more is said of it.

    ``uptime_s`` is the time of its launch since the start of the server, ``length`` that of its prompt in tokens, and
    ``held_n`` the number of tokens in its slot when that was released. ``since`` is when the first of its last lines
    was read, and ``ended`` the time of the last of them.
    """

    slot: int
    task: int
    started: float
    uptime_s: float | None = None
    busy_slots: int = 1
    length: int | None = None
    held_n: int | None = None
    since: float | None = None
    ended: float | None = None
    timings: Timings = field(default_factory=Timings)
    marks: set[Mark] = field(default_factory=set)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> OpenRequest:
        """The request of which these are the ``values``."""
        own = {**values, "timings": Timings(**values["timings"]), "marks": {Mark(mark) for mark in values["marks"]}}
        return cls(**own)

    def values(self) -> dict[str, object]:
        """All that is known of it, in plain values."""
        return {**asdict(self), "marks": sorted(self.marks)}

    @property
    def is_timed(self) -> bool:
        return self.timings.prompt_n is not None

    @property
    def is_released(self) -> bool:
        return self.held_n is not None

    @property
    def works(self) -> bool:
        """Its slot is still at work for it."""
        return not self.is_released and not self.is_timed

    @property
    def is_known(self) -> bool:
        """What became of it was told. Otherwise it belongs to what is not recorded."""
        return not self.works or Mark.LOST not in self.marks

    @property
    def has_failed(self) -> bool:
        return not self.marks.isdisjoint({Mark.REFUSED, Mark.EXCEEDED, Mark.FAILED})

    def fail(self, error: str) -> None:
        """Takes why the engine gave it up."""
        if _TOO_LONG.search(error):
            self.marks.add(Mark.REFUSED)
        else:
            self.marks.add(Mark.EXCEEDED if _NO_ROOM in error else Mark.FAILED)

    def row(self) -> RequestRow:
        """What is known of it, as a request that is over."""
        return RequestRow(
            started=self.started,
            end=self._end(),
            task=self.task,
            slot=self.slot,
            ttft_ms=self._ttft_ms(),
            prompt_n=self._prompt_n,
            cached_n=self._cached_n(),
            prompt_ms=0.0 if self._has_no_prompt else self.timings.prompt_ms,
            gen_n=self.timings.gen_n,
            gen_ms=self.timings.gen_ms,
            timed_n=self.timings.timed_n,
            draft_n=self.timings.draft_n,
            accepted_n=self.timings.accepted_n,
            busy_slots=self.busy_slots,
        )

    @property
    def _has_no_prompt(self) -> bool:
        """The timings of a child repeat those of the prompt that the other one read."""
        return self.is_timed and Mark.CHILD in self.marks

    @property
    def _prompt_n(self) -> int | None:
        return 0 if self._has_no_prompt else self.timings.prompt_n

    def _end(self) -> RequestEnd:
        if self.is_timed:
            # A shift of the context leaves the same mark as a full one.
            is_full = Mark.TRUNCATED in self.marks and Mark.SHIFTED not in self.marks
            return RequestEnd.FULL if is_full else RequestEnd.OK
        if Mark.REFUSED in self.marks:
            return RequestEnd.REFUSED
        if Mark.EXCEEDED in self.marks:
            return RequestEnd.FULL
        # One that only reads, for an embedding, is released without timings.
        was_ended = self.has_failed or Mark.CANCELLED in self.marks
        return RequestEnd.OK if self.is_released and not was_ended else RequestEnd.CANCELLED

    def _ttft_ms(self) -> float | None:
        timings = self.timings
        if timings.gen_ms is None or timings.prompt_ms is None:
            return None
        if self.uptime_s is None or timings.uptime_s is None:
            # Without times in the log: one that is alone waits for nothing but its prompt.
            return timings.prompt_ms if self.busy_slots == 1 else None
        return max(0.0, (timings.uptime_s - self.uptime_s) * 1e3 - timings.gen_ms)

    def _cached_n(self) -> int | None:
        prompt_n, gen_n = self._prompt_n, self.timings.gen_n
        if self.held_n is None or prompt_n is None or gen_n is None or self.marks & {Mark.TRUNCATED, Mark.SHIFTED}:
            return None
        # The last token that was generated does not come to lie in the slot.
        cached = self.held_n - max(0, gen_n - 1) - prompt_n
        return cached if cached >= 0 else None


def _timed_tokens(ms: float, count: int, per_token: str | None, per_second: str | None) -> int | None:
    """How many of the ``count`` tokens the time is for: builds since 2026 leave out the first, which ends the prompt.

    The speed that is printed tells, as the more exact of its two forms.
    """
    if ms == 0:
        return 0
    if per_token is None or per_second is None:
        return None
    each_ms, speed = float(per_token), float(per_second)
    timed = ms / each_ms if each_ms > speed else ms * speed / 1e3
    return count if abs(timed - count) < abs(timed - (count - 1)) else count - 1
