"""The severity of a line of llama.cpp's log."""

from __future__ import annotations

import re

from gglib_desktop.domain.servers.log_text import LogLevel

# "0.00.025.257 I srv  …" with time stamps, "I srv  …" without.
_PREFIX = re.compile(r"(?:\d+\.\d\d\.\d{3}\.\d{3} )?([DIWE]) ")
# Written on the way out, past the program's own log.
_OUTCRY = re.compile(r"error\b|terminate called|.*GGML_ASSERT|.*error while loading shared libraries", re.IGNORECASE)
_LEVELS = {"D": LogLevel.DEBUG, "I": LogLevel.INFO, "W": LogLevel.WARNING, "E": LogLevel.ERROR}


def level_of(line: str) -> LogLevel | None:
    """The level that a line states or implies; None for a line that continues the one before."""
    stated = _PREFIX.match(line)
    if stated is not None:
        return _LEVELS[stated[1]]
    return LogLevel.ERROR if _OUTCRY.match(line) else None
