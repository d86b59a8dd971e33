"""A server's output as lines of text, with the severity of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import IntEnum

# Colors and cursor movements: CSI sequences, and OSC sequences up to their terminator.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class LogLevel(IntEnum):
    """The severity of a line. NOTE is above all: lines of our own, which no filter hides."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    NOTE = 4


LevelOf = Callable[[str], LogLevel | None]
"""Gives the level that a line states or implies, None for a line that continues the one before."""


def without_escapes(text: str) -> str:
    """The text alone, with the line ends of this program."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def text_lines(data: bytes) -> list[str]:
    """Whole lines; bytes that are not UTF-8 become replacement characters."""
    return without_escapes(data.decode("utf-8", errors="replace")).splitlines()


def levels_of(lines: Iterable[str], level_of: LevelOf, before: LogLevel = LogLevel.INFO) -> list[LogLevel]:
    """The level of each line; a line without one has the level of the line before it."""
    levels = []
    for line in lines:
        level = level_of(line)
        before = before if level is None else level
        levels.append(before)
    return levels
