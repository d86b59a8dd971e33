"""The log of one run, as far as it has been read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gglib_desktop.domain.traffic.audit import Told
from gglib_desktop.domain.traffic.requests import (
    Finished,
    Refused,
    RequestEnd,
    RequestEvent,
    RequestReader,
    RequestRow,
    RunFacts,
)
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.ports.servers.server_monitor import LogChunk

# So much is read and understood in one turn of the loop, in less than 5 ms where every line is about a request.
PIECE_BYTES = 16 * 1024
# So much may be read in vain once more, after a crash of this program.
_MUCH_BYTES = 1024 * 1024
_LOST = RequestEnd.NOT_RECORDED

ReadLog = Callable[[str, int, int], Awaitable[LogChunk]]


@dataclass
class _Found:
    """What is to be kept, and what all requests of the run add up to."""

    told: Told
    rows: list[RequestRow] = field(default_factory=list)
    refused: int = 0


class RunReading:
    """Reads a log on from where it was read before. What it finds waits here until it is kept.

    ``is_live``: what it tells happens now. ``at_end``: all that was written so far has been read. ``kept`` is how far
    it was read when that was last kept. Not ``is_understood``: rows of its requests are not kept, because the engine
    counted something else.
    """

    def __init__(
        self, facts: RunFacts, make_reader: Callable[[str], RequestReader], kept: ReadSoFar | None, *, is_live: bool
    ) -> None:
        self.facts = facts
        self.is_live = is_live
        self.is_understood = True
        self.has_ended = False
        self._make_reader = make_reader
        self._announced = self._offset = 0
        self.begin(kept)

    def begin(self, kept: ReadSoFar | None) -> None:
        """Reads on from what was ``kept``. What was told before is not told again."""
        self._announced = max(self._announced, self._offset)
        self._reader = self._make_reader("" if kept is None else kept.state)
        self.kept = kept or ReadSoFar(state=self._reader.state)
        self._is_known = kept is not None
        self._offset = self.kept.offset
        self._found = _Found(self.kept.told)
        self.at_end = False

    async def read(self, read_log: ReadLog, clock: Callable[[], float]) -> Sequence[RequestEvent]:
        """What the next piece of the log tells."""
        reader, offset, has_ended = self._reader, self._offset, self.has_ended
        limit = PIECE_BYTES if offset >= self._announced else min(PIECE_BYTES, self._announced - offset)
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
        return events if offset >= self._announced else ()

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
        return bool(self._found.rows or self._found.refused or self._offset - self.kept.offset > _MUCH_BYTES)

    def news(self) -> RunNews:
        offset, found = self._offset - self._reader.pending_bytes, self._found
        read = ReadSoFar(offset, self._reader.state, self.is_over, found.told)
        return RunNews(self.facts, read, tuple(found.rows), found.refused)

    def was_kept(self, news: RunNews) -> None:
        """There may be more by now."""
        self.kept, self._is_known = news.read, True
        del self._found.rows[: len(news.rows)]
        self._found.refused -= news.refused

    def drop(self) -> None:
        """Forgets what cannot be kept now. ``begin`` will find it again."""
        self._found.rows.clear()
        self._found.refused = 0

    @property
    def told(self) -> Told:
        return self._found.told

    def add(self, row: RequestRow) -> None:
        """One that is not from the log."""
        self._found.rows.append(row)

    def _take(self, events: Sequence[RequestEvent]) -> None:
        rows = [event.row for event in events if isinstance(event, Finished)]
        self._found.told = self._found.told.plus(rows)
        self._found.refused += sum(isinstance(event, Refused) for event in events)
        self._found.rows += rows if self.is_understood else [row for row in rows if row.end is _LOST]
