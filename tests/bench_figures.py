"""What `make bench` prints, one line per figure, and which figures miss their limit."""

from __future__ import annotations

import threading
import time
from pathlib import Path


class Figures:
    """Prints one line per figure, and keeps the lines of those that miss their limit."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def tell(self, line: str) -> None:
        """A figure without a limit."""
        print(line, flush=True)

    def at_most(self, limit: float, value: float, unit: str, line: str) -> None:
        """``line`` names the figure and says ``value``, as rounded as people want it; ``value`` itself is compared."""
        self._judge(value <= limit, line, f"at most {limit:g} {unit}")

    def at_least(self, limit: float, value: float, unit: str, line: str) -> None:
        self._judge(value >= limit, line, f"at least {limit:g} {unit}")

    def verdict(self) -> int:
        """The exit status: 1 when a limit was missed, after naming each such figure."""
        if not self.missed:
            return 0
        print(f"\n{len(self.missed)} of the limits missed:", *self.missed, sep="\n  ", flush=True)
        return 1

    def _judge(self, kept: bool, line: str, limit: str) -> None:
        self.tell(f"{line} ({limit})" if kept else f"{line} (MISSED: {limit})")
        if not kept:
            self.missed.append(f"{line} ({limit})")


class Stopwatch:
    """Seconds that this thread worked or waited. Those in which it waited for a processor don't count, on Linux.

    So a figure says what the program does, and not what else runs on the computer.
    """

    def __init__(self) -> None:
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._began_s = self._now_s()

    def seconds(self) -> float:
        """Since this was made, or since the last call of ``restart``."""
        return self._now_s() - self._began_s

    def restart(self) -> None:
        self._began_s = self._now_s()

    def _now_s(self) -> float:
        try:
            without_processor_ns = int(self._schedule.read_text().split()[1])
        except OSError:
            without_processor_ns = 0
        return time.perf_counter() - without_processor_ns / 1e9
