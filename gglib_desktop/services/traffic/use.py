"""What the process of a server uses of the computer."""

from __future__ import annotations

import math

from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.traffic.figures import MemoryUse

# Below it a server did nothing between two looks but answer them.
_ACTIVE_CPU_S = 0.02
_MORE, _MOST_AT_REST_S = 1.5, 0.3
_LEAST_S = 0.5
_MEMORY_EVERY_S = 5.0
_MEMORY_SHARE = 0.02


class ServerUse:
    """Follows the readings of one process. ``cpu`` is in percent of one core; times are of one clock."""

    def __init__(self) -> None:
        self.cpu: float | None = None
        self.memory: MemoryUse | None = None
        self.memory_is_due = False
        self._memory_at = -math.inf
        self._memory_of = 0
        self._read: tuple[float, Usage] | None = None
        self._looked: Usage | None = None
        self._used_s = self._at_rest_s = 0.0

    def read(self, usage: Usage, at: float) -> None:
        """A reading at any time."""
        before = self._read
        if before is not None and at - before[0] < _LEAST_S:
            return
        self._read = at, usage
        if before is not None:
            self.cpu = float(round(max(0.0, usage.cpu_s - before[1].cpu_s) / (at - before[0]) * 100))
        if abs(usage.rss_bytes - self._memory_of) > self._memory_of * _MEMORY_SHARE:
            self.memory_is_due = True

    def looked(self, usage: Usage, at: float) -> bool | None:
        """A reading with a look at its health. Returns whether it has worked since the last one, if there was one."""
        before, self._looked = self._looked, usage
        self.read(usage, at)
        if before is None:
            return None
        self._used_s = usage.cpu_s - before.cpu_s
        return self._used_s >= _ACTIVE_CPU_S and self._used_s > self._at_rest_s * _MORE

    def rested(self) -> None:
        """It did nothing since the last look, whatever it has used: so much of a processor is no sign of work."""
        self._at_rest_s = max(self._at_rest_s, min(self._used_s, _MOST_AT_REST_S))

    def memory_in_s(self, at: float) -> float:
        """In how many seconds its memory is to be read again; infinite where it is not."""
        return max(0.0, self._memory_at + _MEMORY_EVERY_S - at) if self.memory_is_due else math.inf

    def remember(self, memory: MemoryUse | None, at: float) -> None:
        self.memory, self._memory_at, self.memory_is_due = memory, at, False
        self._memory_of = self._read[1].rss_bytes if self._read is not None else 0
