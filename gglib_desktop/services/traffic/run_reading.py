"""The log of one run, as far as it has been read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gglib_desktop.domain.traffic.requests import Finished, Refused, RequestEvent, RequestReader, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.ports.servers.server_monitor import LogChunk

# So much is read and understood in one turn of the loop, in less than 5 ms.
PIECE_BYTES = 64 * 1024
# So much may be read in vain once more, after a crash of this program.
_MUCH_BYTES = 1024 * 1024

ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]


class RunReading:
    """Reads a log on from where it was read before. What it finds waits here until it is kept.

    ``is_live``: what it tells happens now. ``at_end``: all that was written so far has been read. ``kept`` is how far
    it was read when that was last kept.
    """

    def __init__(
        self, facts: RunFacts, make_reader: Callable[[str], RequestReader], kept: ReadSoFar | None, *, is_live: bool
    ) -> None:
        self.facts = facts
        self.is_live = is_live
        self.has_ended = False
        self._make_reader = make_reader
        self._told = self._offset = 0
        self.begin(kept)

    def begin(self, kept: ReadSoFar | None) -> None:
        """Reads on from what was ``kept``. What was told before is not told again."""
        self._told = max(self._told, self._offset)
        self._reader = self._make_reader("" if kept is None else kept.state)
        self.kept = kept or ReadSoFar(state=self._reader.state)
        self._is_known = kept is not None
        self._offset = self.kept.offset
        self._rows: list[RequestRow] = []
        self._refused = 0
        self.at_end = False

    async def read(self, read_log: ReadLog, clock: Callable[[], float]) -> Sequence[RequestEvent]:
        """What the next piece of the log tells."""
        reader, offset, has_ended = self._reader, self._offset, self.has_ended
        limit = PIECE_BYTES if offset >= self._told else min(PIECE_BYTES, self._told - offset)
        chunk = await read_log(self.facts.run, offset, limit)
        if self._reader is not reader:
            return ()  # it was begun anew meanwhile
        now, events = clock(), list[RequestEvent]()
        if chunk.skipped or chunk.next_offset - len(chunk.data) != offset:
            events += reader.skip(now)
        if chunk.data:
            events += reader.feed(chunk.data, now)
        self._offset = chunk.next_offset
        # If it ended meanwhile, this may have been read before its last words.
        self.at_end = len(chunk.data) < limit and has_ended == self.has_ended
        if self.is_over:
            events += reader.end(now)
        self._take(events)
        return events if offset >= self._told else ()

    def settle(self, now: float) -> Sequence[RequestEvent]:
        """What is known of requests because nothing more was read."""
        events = self._reader.settle(now)
        self._take(events)
        return events

    # -- what is to be kept

    @property
    def is_over(self) -> bool:
        """All that was ever written has been read."""
        return self.has_ended and self.at_end

    def end(self) -> None:
        """Nothing will be written any more. What was written last is still to be read."""
        self.has_ended, self.at_end = True, False

    @property
    def has_news(self) -> bool:
        if self.is_over != self.kept.over or not self._is_known:
            return True
        return bool(self._rows or self._refused or self._offset - self.kept.offset > _MUCH_BYTES)

    def news(self) -> RunNews:
        read = ReadSoFar(self._offset - self._reader.pending_bytes, self._reader.state, self.is_over)
        return RunNews(self.facts, read, tuple(self._rows), self._refused)

    def was_kept(self, news: RunNews) -> None:
        """There may be more by now."""
        self.kept, self._is_known = news.read, True
        del self._rows[: len(news.rows)]
        self._refused -= news.refused

    def drop(self) -> None:
        """Forgets what cannot be kept now. ``begin`` will find it again."""
        self._rows.clear()
        self._refused = 0

    def _take(self, events: Sequence[RequestEvent]) -> None:
        for event in events:
            match event:
                case Finished(_at, row):
                    self._rows.append(row)
                case Refused():
                    self._refused += 1
