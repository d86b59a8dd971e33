"""Reads the logs of runs as they grow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from gglib_desktop.domain.errors import ProcessError
from gglib_desktop.domain.traffic.requests import RequestEvent
from gglib_desktop.ports.servers.server_monitor import ServerMonitor
from gglib_desktop.services.traffic.news import RequestsRead
from gglib_desktop.services.traffic.run_reading import RunReading

_log = logging.getLogger(__name__)
# A little more than a reader waits for the last lines of a request.
_SETTLE_S = 2.1


class LogFollower:
    """Reads a piece of one log after the other, so that a long one delays no other.

    ``tell`` is called at once with what is new, ``has_read`` after each piece, also of what was told before. ``clock``
    gives the unix time. Nothing is done while no log grows.
    """

    def __init__(
        self,
        monitor: ServerMonitor,
        *,
        tell: Callable[[RequestsRead], None],
        has_read: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.readings: dict[str, RunReading] = {}
        self._monitor = monitor
        self._tell = tell
        self._has_read = has_read
        self.clock = clock
        self._unread: dict[str, None] = {}
        self._grown = asyncio.Event()
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._read_since: set[str] = set()
        self._end_listening: Callable[[], None] | None = None

    def add(self, reading: RunReading) -> None:
        self.readings[reading.facts.run] = reading
        self.look_at(reading.facts.run)
        self._listen()

    def end(self, run: str) -> None:
        """It writes nothing any more."""
        self.readings[run].end()
        self.look_at(run)
        self._listen()

    def remove(self, run: str) -> None:
        self.readings.pop(run, None)
        if timer := self._settling.pop(run, None):
            timer.cancel()

    def look_at(self, *runs: str) -> None:
        """There may be something new."""
        self._unread.update(dict.fromkeys(runs))
        self._grown.set()

    async def follow(self) -> None:
        """Reads on until it is cancelled, which loses nothing."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            await self.catch_up()

    async def catch_up(self) -> None:
        """Returns when all that was written has been read."""
        while self._unread:
            run = next(iter(self._unread))
            del self._unread[run]
            reading = self.readings.get(run)
            if reading is None or reading.is_over:
                continue
            try:
                events = await reading.read(self._monitor.read_log, self.clock)
            except ProcessError as exc:
                _log.warning("the log of %s cannot be read: %s", run, exc)
                continue
            if not reading.at_end:
                self._unread[run] = None
            self._take(reading, events)

    def close(self) -> None:
        for run in list(self.readings):
            self.remove(run)
        self._listen()

    def _take(self, reading: RunReading, events: Sequence[RequestEvent]) -> None:
        self._announce(reading, events)
        reading.is_live = reading.is_live or reading.at_end
        if not reading.is_over:
            self._settle_later(reading.facts.run)

    def _announce(self, reading: RunReading, events: Sequence[RequestEvent]) -> None:
        if events:
            self._tell(RequestsRead(reading.facts.run, tuple(events), reading.is_live))
        self._has_read()

    def _settle_later(self, run: str) -> None:
        if run in self._settling:
            self._read_since.add(run)
        else:
            self._settling[run] = asyncio.get_running_loop().call_later(_SETTLE_S, self._settle, run)

    def _settle(self, run: str) -> None:
        del self._settling[run]
        self._announce(self.readings[run], self.readings[run].settle(self.clock()))
        if run in self._read_since:
            self._read_since.remove(run)
            self._settle_later(run)

    def _listen(self) -> None:
        """As long as one of the runs may write something."""
        wanted = any(not reading.has_ended for reading in self.readings.values())
        if wanted and self._end_listening is None:
            self._end_listening = self._monitor.on_log_growth(self._on_growth)
        elif not wanted and self._end_listening is not None:
            self._end_listening()
            self._end_listening = None

    def _on_growth(self, sizes: Mapping[str, int]) -> None:
        if grown := self.readings.keys() & sizes.keys():
            self.look_at(*grown)
