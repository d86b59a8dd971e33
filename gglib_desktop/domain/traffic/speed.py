"""How fast a server generates: where its tokens lie in time."""

from __future__ import annotations

import math
from collections import defaultdict, deque

VALUES = 120
LONG_S = 30
_WINDOW_S = 2.0
_LEAST_WINDOW_S = 0.2
_LEAST_PART_S = 1.0
_RECENT_S, _MOST_PIECES = 10.0, 400
_INSTANT_S = 0.001


class TokensOverTime:
    """Adds up tokens by the time of their generation. Times are in seconds, of one clock.

    What was before ``since`` is unknown. Tokens may be told late, for a time that has passed.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        self._seconds: defaultdict[int, float] = defaultdict(float)
        self._long: defaultdict[int, float] = defaultdict(float)
        self._pieces: deque[tuple[float, float, float]] = deque(maxlen=_MOST_PIECES)
        self._began = self._ended = -math.inf

    def add(self, tokens: float, begin: float, end: float) -> None:
        """They were generated between ``begin`` and ``end``, evenly as far as is known."""
        begin = min(begin, end - _INSTANT_S)
        self.since = min(self.since, math.floor(begin))
        _spread(self._seconds, 1, tokens, begin, end)
        _spread(self._long, LONG_S, tokens, begin, end)
        self._pieces.append((begin, end, tokens))
        if begin > self._ended + _WINDOW_S:
            self._began = begin
        elif end >= self._began - _WINDOW_S:
            self._began = min(self._began, begin)
        self._ended = max(self._ended, end)
        while self._pieces[0][1] < self._ended - _RECENT_S:
            self._pieces.popleft()

    def speed(self, at: float) -> float:
        """Tokens per second in the two seconds before ``at``, or since the first of them."""
        begin = max(at - _WINDOW_S, min(self._began, at - _LEAST_WINDOW_S))
        tokens = sum(n * _overlap(first, last, begin, at) / (last - first) for first, last, n in self._pieces)
        return tokens / (at - begin)

    def seconds(self, at: float) -> tuple[float | None, ...]:
        """The speeds in the seconds before ``at``, whole ones by the clock, the newest last. None: unknown."""
        self._forget(at)
        newest = math.floor(at)
        return tuple(
            None if second < self.since else self._seconds.get(second, 0.0) for second in range(newest - VALUES, newest)
        )

    def hour(self, at: float) -> tuple[float | None, ...]:
        """The same for each half minute; the newest may have just begun."""
        self._forget(at)
        newest = math.floor(at / LONG_S)
        parts = [(part, self._long.get(part, 0.0)) for part in range(newest - VALUES + 1, newest + 1)]
        speeds = [None if (part + 1) * LONG_S <= self.since else tokens / LONG_S for part, tokens in parts]
        # Only what has passed of it counts.
        speeds[-1] = parts[-1][1] / max(_LEAST_PART_S, at - max(newest * LONG_S, self.since))
        return tuple(speeds)

    def is_quiet(self, at: float, within_s: float) -> bool:
        """No tokens were generated in that time."""
        return self._ended < at - within_s

    def _forget(self, at: float) -> None:
        for kept, step_s in ((self._seconds, 1), (self._long, LONG_S)):
            oldest = at / step_s - VALUES - 1
            for part in [part for part in kept if part < oldest]:
                del kept[part]


def _spread(parts: defaultdict[int, float], step_s: int, tokens: float, begin: float, end: float) -> None:
    first = max(begin, end - step_s * (VALUES + 1))
    for part in range(math.floor(first / step_s), math.floor(end / step_s) + 1):
        share = _overlap(part * step_s, (part + 1) * step_s, begin, end) / (end - begin)
        if share:
            parts[part] += tokens * share


def _overlap(begin: float, end: float, other_begin: float, other_end: float) -> float:
    return max(0.0, min(end, other_end) - max(begin, other_begin))
