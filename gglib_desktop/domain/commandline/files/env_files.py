"""Reads files of variables alone, as docker, compose, systemd and Debian's ``/etc/default`` have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, is_program, looks_like_flag
from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.variables import Variables, assignments, interpolated
from gglib_desktop.domain.commandline.words import Token, Unclosed, Word

_PASSED_OVER = re.compile(r"\s*(?:$|[#;]|\[[^\]]*\]\s*$)")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)(?:\s*(=)|:(?=\s|$))(.*)")
_QUOTED = re.compile(r"""(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?""")
_COMMENT = re.compile(r"\s#.*")
# It begins a command's name: NAME=value ./start.sh
_PATH = re.compile(r"[./~$]")


def env_file_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """What the variables of a file choose; None if a line is something else, or no variable is about llama-server.

    A value that is flags, as in ``DAEMON_ARGS="-m x.gguf"``, counts as arguments.
    """
    known = Variables(variables)
    environment: list[tuple[str, Word]] = []
    arguments: list[Word] = []
    for line in text.split("\n"):
        pairs = [] if _PASSED_OVER.match(line) else _pairs(line, known)
        if pairs is None:
            return None
        for name, value in pairs:
            known.set(name, value)
            flags = _flags(value, knows)
            arguments += flags
            environment += [] if flags else [(name, value)]
    if not arguments and not any(name.startswith("LLAMA_ARG_") for name, _value in environment):
        return None
    return Invocation(tuple(arguments), tuple(environment))


def _pairs(line: str, known: Variables) -> Sequence[tuple[str, Word]] | None:
    """The variables of a line: as a shell reads it, else one name with all that follows it."""
    return assignments(_words(line, known)) or _loose(line, known)


def _loose(line: str, known: Variables) -> Sequence[tuple[str, Word]] | None:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    name, equals, value = found[1], found[2], found[3].strip()
    if quoted := _QUOTED.fullmatch(value):
        return [(name, interpolated(quoted[1], known) if quoted[2] is None else Word(quoted[2]))]
    value = _COMMENT.sub("", value)
    if equals and any(map(_is_of_a_command, value.split()[1:])):
        return None
    return [(name, interpolated(value, known))]


def _is_of_a_command(word: str) -> bool:
    return looks_like_flag(word) or is_program(Word(word)) or _PATH.match(word) is not None


def _words(text: str, known: Variables) -> list[Word]:
    """The words of a line; none where it is no command, or several."""
    try:
        tokens: list[Token] = sh_words(text, known)
    except Unclosed:
        return []
    words = [token for token in tokens if isinstance(token, Word)]
    return words if len(words) == len(tokens) else []


def _flags(value: Word, knows: KnownFlag) -> list[Word]:
    if not looks_like_flag(value.text):
        return []
    words = _words(value.text, Variables())
    return words if words and knows(words[0].text.partition("=")[0]) else []
