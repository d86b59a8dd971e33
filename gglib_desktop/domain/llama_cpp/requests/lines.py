"""The lines of llama.cpp's log that tell of requests, in builds since 2025."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Each line that tells of a request holds one of them, and few others do. Searching bytes is far faster than matching.
_MARKS = (
    b"print_timing:",
    b"processing task",
    b"stop processing:",
    b"cancel task, id_task",
    b"send_error:",
    b"got exception:",
    b"failed to launch slot",
    b"slot context shift",
    b"prompt processing",
    b"new prompt,",
    b"eval time =",
    b"draft acceptance",
    b"slots are idle",
    b"spawning server instance",
)
# They hold a mark too, and tell nothing. Each request writes two of them.
_DULL = (b"total time =", b"graphs reused =")
_COLORS = re.compile("\x1b\\[[0-9;]*m")
# "[41234] 0.00.120.496 I slot launch_slot_: id  3 | task 1 | processing task": the server behind a router that wrote
# it, minutes to microseconds since its start, the level, and where it was said. Flags leave out any of the first three.
_CHILD = r"(?:\[(?P<child>\d{1,9})\] +)?"
_UPTIME = r"(?P<min>\d{1,9})\.(?P<s>\d\d)\.(?P<ms>\d{3})\.(?P<us>\d{3}) +"
_LEVEL = r"[DIWE] +"
_ORIGIN = (
    r"(?:slot +(?P<where>[^\s:]+): id +(?P<slot>\d{1,9}) \| task +(?P<task>-1|\d{1,18}) \|"
    r"|srv +[^\s:]+:)(?P<text>.*)"
)
_WHOLE_LINE = re.compile(rf"{_CHILD}(?:{_UPTIME})?(?:{_LEVEL})?{_ORIGIN}", re.ASCII | re.DOTALL)
# At high verbosity some lines lack their end, so that the next begins in the middle. Behind anything else than the end
# of a sentence it is quoted text: prompts are written there too.
_REST_OF_LINE = re.compile(rf"(?<=[.)]){_CHILD}(?:{_UPTIME}(?:{_LEVEL})?|{_LEVEL}){_ORIGIN}", re.ASCII | re.DOTALL)
# In 2025 further lines of a record came without all that.
_CONTINUED = re.compile(r" *(?:(?:prompt +)?eval time =|draft acceptance)", re.ASCII)


class Record(NamedTuple):  # a dataclass takes four times as long to make
    """One record of the log. ``uptime_s`` None: it bears no time. ``where`` empty: it is not about a slot.

    ``child`` names the server behind a router that wrote it. ``continues``: its origin stands on a line before.
    """

    text: str
    child: str = ""
    uptime_s: float | None = None
    where: str = ""
    slot: int = -1
    task: int = -1
    continues: bool = False


def marked_lines(data: bytes) -> Iterator[bytes]:
    """Those of the complete lines in ``data`` that may tell of requests, in their order."""
    ends: dict[int, int] = {}
    for mark in _MARKS:
        at = data.find(mark)
        while at >= 0:
            end = data.find(b"\n", at)
            ends[data.rfind(b"\n", 0, at) + 1] = end
            at = data.find(mark, end)
    for start in sorted(ends):
        line = data[start : ends[start]]
        if _DULL[0] not in line and _DULL[1] not in line:
            yield line


def is_marked(line: bytes) -> bool:
    """Whether it may tell of requests."""
    return any(mark in line for mark in _MARKS)


def record_in(line: bytes, *, from_its_start: bool = True) -> Record | None:
    """The record in a line, or in a later part of one; None where it holds nothing of the kind."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    if "\x1b" in text:
        text = _COLORS.sub("", text)
    found = _WHOLE_LINE.match(text) if from_its_start else None
    if found is None and from_its_start and _CONTINUED.match(text):
        return Record(text, continues=True)
    found = found or _REST_OF_LINE.search(text)
    if found is None:
        return None
    uptime_s = None
    if found["min"] is not None:
        uptime_s = int(found["min"]) * 60 + int(found["s"]) + int(found["ms"] + found["us"]) / 1e6
    origin = (found["where"], int(found["slot"]), int(found["task"])) if found["where"] else ("", -1, -1)
    return Record(found["text"], found["child"] or "", uptime_s, *origin)
