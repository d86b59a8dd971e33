"""What `make bench` prints, one line per figure, and which figures miss their limit."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time


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
        self._schedule: int | None = None
        self._read = ctypes.PyDLL(None).pread
        self._text = ctypes.create_string_buffer(80)
        with contextlib.suppress(OSError):
            self._schedule = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        self._began_s = self._now_s()

    def __del__(self) -> None:
        if self._schedule is not None:
            os.close(self._schedule)

    def seconds(self) -> float:
        """Since this was made, or since the last call of ``restart``."""
        return self._now_s() - self._began_s

    def restart(self) -> None:
        self._began_s = self._now_s()

    def _now_s(self) -> float:
        without_processor_ns = 0
        if self._schedule is not None:
            # Not with Python's own: that hands Python's lock to another thread, and to get it back takes milliseconds.
            self._read(self._schedule, self._text, len(self._text), ctypes.c_int64(0))
            without_processor_ns = int(self._text.value.split()[1])
        return time.perf_counter() - without_processor_ns / 1e9
