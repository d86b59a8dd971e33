"""Arguments of a command line: the flag in a word, and the line for people, without keys."""

from __future__ import annotations

import shlex
from itertools import pairwise

_KEY_FLAGS = frozenset({"--api-key", "--api-key-file", "-hft", "--hf-token"})
REDACTED = "[hidden]"


def flag_of(word: str) -> str:
    """The flag in an argument, in its plain spelling; llama-server reads underscores in long flags as dashes."""
    flag = word.partition("=")[0]
    return flag.replace("_", "-") if flag.startswith("--") else flag


def shell_line(argv: tuple[str, ...]) -> str:
    """The command line for a POSIX shell and for logs, with keys hidden."""
    return shlex.join(
        REDACTED if flag_of(before) in _KEY_FLAGS and "=" not in before else _hide_attached_key(word)
        for before, word in pairwise(("", *argv))
    )


def _hide_attached_key(word: str) -> str:
    flag, equals, _value = word.partition("=")
    return f"{flag}={REDACTED}" if equals and flag_of(word) in _KEY_FLAGS else word
