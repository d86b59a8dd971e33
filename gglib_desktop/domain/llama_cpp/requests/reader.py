"""Reads from llama.cpp's log what its server did for each request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from gglib_desktop.domain.llama_cpp.requests.lines import Record, is_marked, marked_lines, record_in
from gglib_desktop.domain.llama_cpp.requests.open_request import Mark, OpenRequest
from gglib_desktop.domain.traffic.requests import (
    Finished,
    GenerationProgress,
    Launched,
    PromptProgress,
    Refused,
    RequestEnd,
    RequestEvent,
    RequestRow,
    Shifted,
)

# How long the other part of a request's last lines may stay away.
_LAST_PART_S = 2.0
# Of a longer line only both ends are read; what lies between is the text of a prompt.
_LONGEST_LINE, _LINE_END = 65_536, 4096
# By so much at most the times of two lines stand in the wrong order. Further back, the server was started again.
_DISORDER_S = 1.0
# The share that was read is told in whole percents: less than a quarter says too little of the prompt's length.
_TELLING_SHARE = 0.25
# A request can be cancelled just before its launch is written.
_MOST_CANCELLED = 32

_READ = re.compile(
    r"prompt processing(?: progress)?, n_(?:tokens|past) = *(\d{1,12})(?:.{0,99}?progress = *(\d+\.\d+))?"
)
_GENERATED = re.compile(r"n_gen = *(\d{1,12})")
_PROMPT_LENGTH = re.compile(r"new prompt, .{0,199}(?:task\.n_tokens|n_prompt_tokens) = *(\d{1,12})")
_CANCELLED = re.compile(r"cancel task, id_task = *(\d{1,18})")
# Bad JSON, and a grammar that cannot be used.
_NEVER_LAUNCHED = ("got exception:", "failed to launch slot")
_FAILED = re.compile(r"task id = *(\d{1,18}), error:(.*)", re.DOTALL)
_SPAWNED = re.compile(r"spawning server instance with name=.{1,999} on port (\d{1,9})")
_RELEASED = re.compile(r"stop processing: n_(?:tokens|past) = *(\d{1,12})(?:, truncated = *(\d))?")

_Key = tuple[str, int]


class LlamaRequestReader:
    """Reads the requests of one run, as its port ``RequestReader`` says.

    ``began_at`` is the unix time at which the process started; the times of its requests are as exact as that, and
    never later than they are read. ``state`` is the one that an earlier reader of the same run had.
    """

    def __init__(self, began_at: float, state: str = "") -> None:
        kept = json.loads(state) if state else {}
        self._clocks: dict[str, list[float]] = kept.get("clocks", {"": [began_at, 0.0]})
        self._open: dict[_Key, OpenRequest] = {
            (child, request.slot): request
            for child, values in kept.get("open", ())
            for request in [OpenRequest.from_values(values)]
        }
        # Builds of 2025 write the timings after the release.
        self._timings_come_first: bool = kept.get("timings_come_first", False)
        self._released = {key for key, request in self._open.items() if request.is_released}
        self._cancelled: list[tuple[str, int]] = [(child, task) for child, task in kept.get("cancelled", ())]
        self._in_long_line: bool = kept.get("in_long_line", False)
        timed = kept.get("timed")
        self._timed: _Key | None = (timed[0], timed[1]) if timed else None
        self._rest = b""

    @property
    def pending_bytes(self) -> int:
        return len(self._rest)

    @property
    def state(self) -> str:
        kept = {
            "clocks": self._clocks,
            "open": [(child, request.values()) for (child, _slot), request in self._open.items()],
            "cancelled": self._cancelled,
            "in_long_line": self._in_long_line,
            "timed": self._timed,
            "timings_come_first": self._timings_come_first,
        }
        return json.dumps(kept, separators=(",", ":"))

    def feed(self, data: bytes, now: float) -> Sequence[RequestEvent]:
        return [event for record in self._records(data) for event in self._read(record, now)]

    def settle(self, now: float) -> Sequence[RequestEvent]:
        late = [
            key
            for key, request in self._open.items()
            if request.since is not None and now - request.since >= _LAST_PART_S
        ]
        return [event for key in late for event in self._close(key, now)]

    def end(self, now: float) -> Sequence[RequestEvent]:
        self._rest = b""
        return [event for key in list(self._open) for event in self._close(key, self._last_time(key[0], now))]

    def skip(self, now: float) -> Sequence[RequestEvent]:
        # What follows may begin in the middle of a line, and tell the end of requests that were at work.
        self._rest, self._in_long_line, self._timed = b"", True, None
        for request in self._open.values():
            request.marks.add(Mark.LOST)
        at = self._last_time("", now)
        return [Finished(at, RequestRow(at, RequestEnd.NOT_RECORDED))]

    # -- from bytes to records

    def _records(self, data: bytes) -> Iterator[Record]:
        """The records that these bytes complete."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        lines, self._rest = data[:end], data[end:]
        if lines and self._in_long_line:
            last, _newline, lines = lines.partition(b"\n")
            self._in_long_line = False
            yield from _tail(last)
        for line in marked_lines(lines):
            if len(line) > _LONGEST_LINE:
                yield from _beginning(line)
                yield from _tail(line)
            elif record := record_in(line):
                yield record
        if not self._in_long_line and len(self._rest) > _LONGEST_LINE:
            yield from _beginning(self._rest)
            self._in_long_line = True
        if self._in_long_line:
            self._rest = self._rest[-_LINE_END:]

    # -- from records to events

    def _read(self, record: Record, now: float) -> Iterator[RequestEvent]:
        if record.continues:
            if self._timed in self._open:
                self._open[self._timed].timings.read(record.text, None)
            return
        self._timed = None
        at = now
        if record.uptime_s is not None:
            yield from self._end_earlier_run(record.child, record.uptime_s)
            at = self._time(record.child, record.uptime_s, now)
        if not record.where:
            yield from self._read_server_line(record, at)
            return
        if self._released:
            yield from self._close_released(record.child, at, but=record.task)
        if record.text.startswith(" processing task"):
            yield from self._launch(record, at)
        elif (request := self._open.get((record.child, record.slot))) and request.task == record.task:
            yield from self._read_progress(record, request, at)
            yield from self._read_last_lines(record, request, at, now)

    def _read_server_line(self, record: Record, at: float) -> Iterator[RequestEvent]:
        if found := _FAILED.search(record.text):
            if request := self._at_work_on(record.child, int(found[1])):
                request.fail(found[2])
        elif any(words in record.text for words in _NEVER_LAUNCHED):
            yield Refused(at)
        elif found := _CANCELLED.search(record.text):
            task = int(found[1])
            if request := self._at_work_on(record.child, task):
                request.marks.add(Mark.CANCELLED)
            else:
                self._cancelled = [*self._cancelled, (record.child, task)][-_MOST_CANCELLED:]
        elif "slots are idle" in record.text:
            yield from self._close_released(record.child, at)
        elif found := _SPAWNED.search(record.text):
            yield from self._begin_child(found[1], at)

    def _launch(self, record: Record, at: float) -> Iterator[RequestEvent]:
        key = record.child, record.slot
        if key in self._open:
            yield from self._close(key, at)
        request = OpenRequest(record.slot, record.task, at, record.uptime_s)
        if "is_child = 1" in record.text:
            request.marks.add(Mark.CHILD)
        if (record.child, record.task) in self._cancelled:
            request.marks.add(Mark.CANCELLED)
        self._open[key] = request
        busy = [other for (child, _slot), other in self._open.items() if child == record.child and other.works]
        for other in busy:
            other.busy_slots = max(other.busy_slots, len(busy))
        yield Launched(at, record.slot, record.task)

    def _read_progress(self, record: Record, request: OpenRequest, at: float) -> Iterator[RequestEvent]:
        if found := _READ.search(record.text):
            read_n, share = int(found[1]), float(found[2] or 0)
            total_n = round(read_n / share) if share >= _TELLING_SHARE else None
            yield PromptProgress(at, request.slot, request.task, read_n, request.length or total_n)
        elif found := _GENERATED.search(record.text):
            yield GenerationProgress(at, request.slot, request.task, int(found[1]))
        elif found := _PROMPT_LENGTH.search(record.text):
            request.length = int(found[1])
            yield PromptProgress(at, request.slot, request.task, 0, request.length)
        elif "slot context shift" in record.text:
            request.marks.add(Mark.SHIFTED)
            yield Shifted(at, request.slot, request.task)

    def _read_last_lines(self, record: Record, request: OpenRequest, at: float, now: float) -> Iterator[RequestEvent]:
        key = record.child, record.slot
        if record.where == "print_timing":
            self._timed = key
            request.timings.read(record.text, record.uptime_s)
        elif found := _RELEASED.search(record.text):
            request.held_n = int(found[1])
            request.marks |= {Mark.TRUNCATED} if found[2] == "1" else set()
            self._timings_come_first |= request.is_timed
            self._released.add(key)
        if not request.works:
            request.ended = at
            request.since = now if request.since is None else request.since
        if request.is_released and (self._timings_come_first or request.has_failed):
            yield from self._close(key, at)

    def _at_work_on(self, child: str, task: int) -> OpenRequest | None:
        return next((r for (owner, _slot), r in self._open.items() if owner == child and r.task == task), None)

    def _close_released(self, child: str, at: float, but: int = -1) -> Iterator[RequestEvent]:
        """Ends the requests whose last lines must be over, because the engine goes on with another one."""
        for key in [key for key in self._released if key[0] == child and self._open[key].task != but]:
            yield from self._close(key, at)

    def _close(self, key: _Key, at: float) -> Iterator[RequestEvent]:
        request = self._open.pop(key)
        self._released.discard(key)
        if request.is_known:
            yield Finished(at if request.ended is None else request.ended, request.row())

    # -- times

    def _begin_child(self, child: str, at: float) -> Iterator[RequestEvent]:
        """A router started a server of its own, under a name that an earlier one may have had."""
        for key in [key for key in self._open if key[0] == child]:
            yield from self._close(key, at)
        self._clocks[child] = [at, 0.0]

    def _end_earlier_run(self, child: str, uptime_s: float) -> Iterator[RequestEvent]:
        """Where the time begins anew the server did too, and its requests are over."""
        clock = self._clocks.get(child)
        if clock is not None and uptime_s < clock[1] - _DISORDER_S:
            began_at, last = clock
            for key in [key for key in self._open if key[0] == child]:
                yield from self._close(key, began_at + last)
            self._clocks[child] = [began_at + last - uptime_s, uptime_s]

    def _time(self, child: str, uptime_s: float, now: float) -> float:
        # The line that tells when a server behind a router began may be lost.
        clock = self._clocks.setdefault(child, [now - uptime_s, uptime_s])
        # No line is written after it was read, so the server began earlier than it seemed, by less than a second.
        clock[:] = min(clock[0], now - uptime_s), max(clock[1], uptime_s)
        return clock[0] + uptime_s

    def _last_time(self, child: str, now: float) -> float:
        began_at, last = self._clocks.get(child, (now, 0.0))
        return began_at + last if last else now


def _beginning(line: bytes) -> Iterator[Record]:
    part = line[:_LINE_END]
    if is_marked(part) and (record := record_in(part)):
        yield record


def _tail(line: bytes) -> Iterator[Record]:
    part = line[-_LINE_END:]
    if is_marked(part) and (record := record_in(part, from_its_start=False)):
        yield record
