"""What drafting brings to a server, from its requests and its counters."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gglib_desktop.domain.traffic.figures import Counters, Drafting
from gglib_desktop.domain.traffic.requests import RequestRow, RunFacts

# One short answer says little about drafts.
_WINDOW_TOKENS = 400
# A speed is measured on answers that are not too short.
_TELLING_TOKENS, _MEASUREMENTS = 64, 20
# Of fewer requests it is not known how much they differ. A gain is told if it is larger than its error, and that small.
_TELLING_REQUESTS = 5
_MOST_ERROR, _NO_ERROR = 0.1, 0.03
# From the median distance to the median to the standard error of a median; doubled, for 95 % certainty.
_ERROR_OF_MEDIAN = 2 * 1.4826 * 1.2533
# Of fewer drafts the positions are no statistics.
_TELLING_DRAFTS = 100
# Where drafts stop early, the counters do not tell what a limit would change.
_FULL_DRAFTS = 0.9
# A smaller gain is within the error of the estimate.
_TELLING_GAIN = 1.03
# Measured on models of several qualities: what drafting costs a step besides its tokens, in draft tokens, and by how
# much a single draft token was slower than estimated from more.
_START_TOKENS, _ALONE_SLOWER = 2, 1.17


def times_without_drafting(history: Iterable[tuple[RunFacts, RequestRow]], run: RunFacts) -> list[float]:
    """Milliseconds per token without drafting, as measured in runs of the same model that are equally fast.

    ``history`` has the newest first. Only requests that had the server for themselves count.
    """
    measured: list[float] = []
    for other, row in history:
        if len(measured) == _MEASUREMENTS:
            break
        is_like = other.model_id == run.model_id and other.speed_key == run.speed_key != "" and not other.n_max
        if is_like and row.busy_slots == 1 and (row.gen_n or 0) >= _TELLING_TOKENS and row.speed:
            measured.append(1e3 / row.speed)
    return measured


def drafting(
    rows: Iterable[RequestRow], counters: Counters | None = None, off_times: Sequence[float] = ()
) -> Drafting | None:
    """What drafting brings; None while nothing was drafted.

    ``rows`` are those of one run that drafts, the newest first. ``off_times``: milliseconds per token without drafting.
    """
    rows = [row for row in rows if row.timed_n and row.gen_ms]
    drafted, accepted, steps, _ms = _sums(_newest(rows))
    if not drafted or steps <= 0:
        return None
    accepted_at = _shares(counters)
    found = Drafting(1 + accepted / steps, accepted / drafted, accepted_at, is_uncertain=bool(off_times))
    # The speed without drafting is that of a request alone, so only such requests are compared with it.
    alone = _newest((row for row in rows if row.busy_slots == 1), at_least=_TELLING_REQUESTS)
    if min(len(off_times), len(alone)) < _TELLING_REQUESTS:
        return found
    drafted, accepted, steps, ms = _sums(alone)
    if steps <= 0:
        return found
    off_ms, step_ms = statistics.median(off_times), ms / steps
    gain = (1 + accepted / steps) * off_ms / step_ms
    if not _is_certain(gain, _error(off_times), _error([(row.gen_ms or 0) / (row.timed_n or 1) for row in alone])):
        return found
    fewer = fewer_gain = None
    if _are_full(counters, accepted_at):
        fewer, fewer_gain = _fewer(accepted_at, step_ms, off_ms, drafted / steps)
    even = step_ms / off_ms
    return replace(found, gain=gain, breaks_even_at=even, fewer=fewer, fewer_gain=fewer_gain, is_uncertain=False)


def _error(times: Sequence[float]) -> float:
    """Of their median, as a share of it. A few that are far off do not count."""
    middle = statistics.median(times)
    distance = statistics.median(abs(each - middle) for each in times)
    return _ERROR_OF_MEDIAN * distance / middle / math.sqrt(len(times))


def _is_certain(gain: float, *errors: float) -> bool:
    error = math.hypot(*errors)
    return error <= max(_NO_ERROR, min(_MOST_ERROR, abs(gain - 1)))


def _newest(rows: Iterable[RequestRow], *, at_least: int = 0) -> list[RequestRow]:
    """Those that generated the last tokens, and so many if there are."""
    newest: list[RequestRow] = []
    tokens = 0
    for row in rows:
        if tokens >= _WINDOW_TOKENS and len(newest) >= at_least:
            break
        newest.append(row)
        tokens += row.gen_n or 0
    return newest


def _sums(rows: Sequence[RequestRow]) -> tuple[int, int, int, float]:
    """Tokens drafted, tokens accepted, steps, and the time of these in milliseconds.

    Each step yields one token besides those accepted. A request in which nothing was drafted tells no drafts.
    """
    drafted = sum(row.draft_n or 0 for row in rows)
    accepted = sum(row.accepted_n or 0 for row in rows)
    return drafted, accepted, sum(row.timed_n or 0 for row in rows) - accepted, sum(row.gen_ms or 0 for row in rows)


def _shares(counters: Counters | None) -> tuple[float, ...]:
    if counters is None or not counters.drafts:
        return ()
    return tuple(count / counters.drafts for count in counters.accepted_at)


def _are_full(counters: Counters | None, accepted_at: Sequence[float]) -> bool:
    """Whether nearly all drafts were as long as they may be, and there were many."""
    if counters is None or counters.drafts is None or counters.draft_n is None:
        return False
    most = counters.drafts * len(accepted_at)
    return counters.drafts >= _TELLING_DRAFTS and 0 < _FULL_DRAFTS * most <= counters.draft_n


def _fewer(
    accepted_at: Sequence[float], step_ms: float, off_ms: float, drafted: float
) -> tuple[int, float] | tuple[None, None]:
    """How many draft tokens would be faster than now, and by what factor.

    A step takes the time of one without drafting, some more for drafting at all, and some for each token drafted.
    """
    token_ms = (step_ms - off_ms) / (drafted + _START_TOKENS)
    if token_ms <= 0:
        return None, None

    def speed(count: int) -> float:
        tokens, time_ms = 1 + sum(accepted_at[:count]), off_ms + token_ms * (count + _START_TOKENS)
        return tokens / time_ms / (_ALONE_SLOWER if count == 1 else 1)

    best = max(range(1, len(accepted_at) + 1), key=speed)
    gain = speed(best) / speed(len(accepted_at))
    return (best, gain) if gain >= _TELLING_GAIN else (None, None)
