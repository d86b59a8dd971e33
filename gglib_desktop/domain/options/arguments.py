"""Arguments of a command line: the flag in a word, and the line for people, without keys."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from itertools import pairwise

KEY_FLAGS = frozenset({"--api-key", "--api-key-file", "-hft", "--hf-token"})
REDACTED = "[hidden]"


def flag_of(word: str) -> str:
    """The flag in an argument, in its plain spelling; llama-server reads underscores in long flags as dashes."""
    flag = word.partition("=")[0]
    return flag.replace("_", "-") if flag.startswith("--") else flag


def shell_line(argv: tuple[str, ...], key_flags: Collection[str] = KEY_FLAGS) -> str:
    """The command line for a POSIX shell and for logs, with keys hidden: the values of ``key_flags``."""
    return shlex.join(
        REDACTED if flag_of(before) in key_flags and "=" not in before else _hide_attached_key(word, key_flags)
        for before, word in pairwise(("", *argv))
    )


def _hide_attached_key(word: str, key_flags: Collection[str]) -> str:
    flag, equals, _value = word.partition("=")
    return f"{flag}={REDACTED}" if equals and flag_of(word) in key_flags else word
