"""Why ssh gave up, from what it printed. Its exit code is 255 in each case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Cause(Enum):
    """What kept the connection from being made. ``LOST``: it may work by itself a little later."""

    LOST = auto()
    NOT_AUTHORIZED = auto()
    UNKNOWN_HOST_KEY = auto()
    CHANGED_HOST_KEY = auto()


@dataclass(frozen=True)
class Refusal:
    """``reason`` is for the window. ``fingerprint`` is that of a host key that changed, where ssh told it."""

    cause: Cause
    reason: str
    fingerprint: str = ""


_FINGERPRINT = re.compile(r"(?:SHA256|MD5):[A-Za-z0-9+/=:]+")
_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|[Hh]ost key for .* has changed")
_UNKNOWN = re.compile(r"No \S+ host key is known|Host key verification failed|authenticity of host .* can't be")
_DENIED = re.compile(
    r"Permission denied \(([^)]*)\)|Too many authentication failures|No supported authentication methods"
)
# What ssh puts before its own sentences.
_PREFIX = re.compile(r"^(?:ssh: |kex_exchange_identification: |banner exchange: |mux_client_\w+: )")
# Lines that tell of no cause: what was seen before the end, and what each end is followed by.
_NOISE = re.compile(
    r"^(?:\*\* |debug\d|Warning: Permanently added|Authenticated to |client_loop: |Pseudo-terminal|@|Control socket)"
)


def refusal(lines: Sequence[str]) -> Refusal:
    """Reads what one process of ssh wrote on its standard error."""
    text = "\n".join(lines)
    if _CHANGED.search(text):
        found = _FINGERPRINT.search(text)
        return Refusal(
            Cause.CHANGED_HOST_KEY,
            "its host key is not the one that is known; it may have been installed anew, or another computer answers",
            found[0] if found else "",
        )
    if _UNKNOWN.search(text):
        return Refusal(Cause.UNKNOWN_HOST_KEY, "its host key is not known here")
    if denied := _DENIED.search(text):
        methods = f" ({denied[1]})" if denied[1] else ""
        return Refusal(Cause.NOT_AUTHORIZED, f"it did not accept the user or the key{methods}")
    told = [_PREFIX.sub("", line.strip()) for line in lines if line.strip() and not _NOISE.match(line)]
    return Refusal(Cause.LOST, told[-1].rstrip(".") if told else "the connection ended")
