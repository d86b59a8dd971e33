"""A server's output as lines of text, and how serious each is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import IntEnum

# Colours and cursor movements: CSI sequences, and OSC sequences up to their terminator.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class LogLevel(IntEnum):
    """How serious a line is. NOTE is more than all: lines of our own, which no filter hides."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    NOTE = 4


LevelOf = Callable[[str], LogLevel | None]
"""Gives the level that a line states or gives away, None for one that goes on with what came before."""


def without_escapes(text: str) -> str:
    """The text alone, with line ends as they are here."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def text_lines(data: bytes) -> list[str]:
    """Whole lines; bytes that are no UTF-8 become replacement characters."""
    return without_escapes(data.decode("utf-8", errors="replace")).splitlines()


def levels_of(lines: Iterable[str], level_of: LevelOf, before: LogLevel = LogLevel.INFO) -> list[LogLevel]:
    """The level of each line; one that states none has that of the line before it."""
    levels = []
    for line in lines:
        level = level_of(line)
        before = before if level is None else level
        levels.append(before)
    return levels
