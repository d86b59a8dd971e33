"""Finds the start of llama-server in a Dockerfile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, candidate
from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.shell import inside
from gglib_desktop.domain.commandline.variables import Variables, assigned
from gglib_desktop.domain.commandline.words import Unclosed, Word

_CONTINUATION = re.compile(r"\\[ \t]*\r?\n(?:[ \t]*#[^\n]*\n)*")
_INSTRUCTION = re.compile(r"[ \t]*([A-Za-z]+)[ \t]+(.*\S)[ \t\r]*")
_STARTS = ("ENTRYPOINT", "CMD")


def dockerfile_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The last stage of a Dockerfile, read as the arguments of ``docker run``."""
    known = Variables(variables)
    image, options, starts, around = "", list[Word](), dict[str, list[Word]](), list[str]()
    for name, value in _instructions(text):
        if name == "FROM":
            image, starts = value, {}
        if name in {"ENV", "ARG"}:
            for variable in _settings(value, known):
                known.set(*variable)
                options += [Word("-e"), _setting(*variable)] if name == "ENV" else []
        elif name in _STARTS:
            starts[name] = _command(value, known)
        else:
            around.append(f"{name} {value}")
    command = [word for name in _STARTS for word in starts.get(name, ())]
    run = [Word("docker"), Word("run"), *options, Word(image or "llama.cpp"), *command]
    found = candidate(run, knows, inside(variables, knows))
    return replace(found.invocation, around=tuple(around)) if found else None


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    for line in _CONTINUATION.sub(" ", text).split("\n"):
        if found := _INSTRUCTION.fullmatch(line):
            yield found[1].upper(), found[2]


def _settings(text: str, known: Variables) -> list[tuple[str, Word]]:
    """``NAME=value`` several times, or the older ``NAME value``."""
    words = _words(text, known)
    pairs = [assigned(word) for word in words]
    if None in pairs[:1] and len(words) > 1:
        value = Word(" ".join(word.text for word in words[1:]), any(word.unresolved for word in words[1:]))
        return [(words[0].text, value)]
    return [pair for pair in pairs if pair]


def _setting(name: str, value: Word) -> Word:
    return Word(f"{name}={value.text}", value.unresolved)


def _command(text: str, known: Variables) -> list[Word]:
    """A list in JSON, which no shell reads, or a command for the shell."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return _words(text, known)
    return [Word(item) for item in items if isinstance(item, str)] if isinstance(items, list) else []


def _words(text: str, known: Variables) -> list[Word]:
    try:
        return [token for token in sh_words(text, known) if isinstance(token, Word)]
    except Unclosed:
        return [Word(each) for each in text.split()]
