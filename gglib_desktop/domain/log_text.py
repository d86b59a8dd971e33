"""A server's output as lines of text."""

from __future__ import annotations

import re

# Colours and cursor movements: CSI sequences, and OSC sequences up to their terminator.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def without_escapes(text: str) -> str:
    """The text alone, with line ends as they are here."""
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def text_lines(data: bytes) -> list[str]:
    """Whole lines; bytes that are no UTF-8 become replacement characters."""
    return without_escapes(data.decode("utf-8", errors="replace")).splitlines()
