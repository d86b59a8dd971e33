"""A server's output as lines of text."""

from __future__ import annotations

import re

# Colours and cursor movements: CSI sequences, and OSC sequences up to their terminator.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def text_lines(data: bytes) -> list[str]:
    """Lines without escape sequences; bytes that are no UTF-8 become replacement characters."""
    text = data.decode("utf-8", errors="replace")
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").split("\n") if text else []
