"""Whether the requests that were read from a log are all that the engine counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow

# A line is read some time after the counters moved, or before they were asked for.
_PATIENCE_S = 30.0
# So often tokens may be counted without a line about them, until the lines are not waited for any more.
_MOST_SILENT = 3


class Verdict(StrEnum):
    """``COMPLETE``: all tokens counted are those of known requests. ``CHECKING``: not known yet.

    ``NOT_TOLD``: the engine writes of no requests.
    """

    COMPLETE = "complete"
    CHECKING = "checking"
    NOT_UNDERSTOOD = "not understood"
    NOT_TOLD = "not told"


@dataclass(frozen=True)
class Told:
    """What the requests of a log add up to.

    ``timed`` of them told their tokens. The tokens of the others are only in the counters: those ``cancelled``, by the
    engine too, in parts ``lost``, and those that only ``read``, for an embedding, so that they generated none.
    """

    timed: int = 0
    cancelled: int = 0
    lost: int = 0
    read: int = 0
    prompt_n: int = 0
    gen_n: int = 0

    def plus(self, rows: Iterable[RequestRow]) -> Told:
        """With further requests. Intervals say nothing here, because they come from the counters."""
        rows = [row for row in rows if row.end is not RequestEnd.INTERVAL]
        untimed = [row.end for row in rows if row.gen_n is None]
        return Told(
            self.timed + len(rows) - len(untimed),
            self.cancelled + untimed.count(RequestEnd.CANCELLED) + untimed.count(RequestEnd.FULL),
            self.lost + untimed.count(RequestEnd.NOT_RECORDED),
            self.read + untimed.count(RequestEnd.OK),
            self.prompt_n + sum(row.prompt_n or 0 for row in rows),
            self.gen_n + sum(row.gen_n or 0 for row in rows),
        )


class Audit:
    """Compares what one run of a server told with what it counted, both since it began; every few seconds.

    ``gen_n`` and ``prompt_n`` are the tokens that it counted beyond those that requests told. As long as the verdict
    is COMPLETE they are those of cancelled requests.
    """

    def __init__(self) -> None:
        self.verdict = Verdict.CHECKING
        self.gen_n = 0
        self.prompt_n = 0
        self._counted_n = 0
        self._told_of = 0
        self._silent = 0
        self._wrong_since: float | None = None

    def compare(self, told: Told, counted: Counters, now: float, *, at_work: bool = False) -> Verdict:
        """``at_work``: a request is not over yet, so that a part of its tokens may be counted before it is told of."""
        self.gen_n, self.prompt_n = counted.gen_n - told.gen_n, counted.prompt_n - told.prompt_n
        self._note_silence(told, counted)
        if self._silent >= _MOST_SILENT:
            self.verdict = Verdict.NOT_UNDERSTOOD
        elif self._is_explained_by(told):
            self._wrong_since = None
            if counted.gen_n or counted.prompt_n:
                self.verdict = Verdict.COMPLETE
        elif not at_work:
            self._wrong_since = now if self._wrong_since is None else self._wrong_since
            is_late = now - self._wrong_since >= _PATIENCE_S
            self.verdict = Verdict.NOT_UNDERSTOOD if is_late else Verdict.CHECKING
        return self.verdict

    def _note_silence(self, told: Told, counted: Counters) -> None:
        told_of = told.timed + told.cancelled + told.lost
        if told_of > self._told_of:
            self._silent = 0
        elif counted.gen_n > self._counted_n:
            self._silent += 1
        self._told_of, self._counted_n = told_of, counted.gen_n

    def _is_explained_by(self, told: Told) -> bool:
        """Whether the difference may be tokens of those requests that told none."""
        if self.gen_n < 0 or self.prompt_n < 0:
            return False
        unknown = told.cancelled + told.lost
        return (self.gen_n == 0 or unknown > 0) and (self.prompt_n == 0 or unknown + told.read > 0)


def interval(started: float, before: Counters, after: Counters) -> RequestRow | None:
    """What a server did between two looks at its counters, as one row; None for nothing.

    ``started`` is the time of the first look. How much of the time the first tokens took is not known.
    """
    prompt_n, gen_n = after.prompt_n - before.prompt_n, after.gen_n - before.gen_n
    if min(prompt_n, gen_n) < 0 or prompt_n == gen_n == 0:
        return None
    return RequestRow(
        started=started,
        end=RequestEnd.INTERVAL,
        prompt_n=prompt_n,
        cached_n=_growth(before.cached_n, after.cached_n),
        prompt_ms=_milliseconds(before.prompt_s, after.prompt_s),
        gen_n=gen_n,
        gen_ms=_milliseconds(before.gen_s, after.gen_s),
        draft_n=_growth(before.draft_n, after.draft_n),
        accepted_n=_growth(before.accepted_n, after.accepted_n),
    )


def _growth(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _milliseconds(before_s: float | None, after_s: float | None) -> float | None:
    return None if before_s is None or after_s is None else (after_s - before_s) * 1e3
