"""Finds the start of llama-server in units of systemd, and in those that describe a container (quadlets)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, candidate, mentions_server
from gglib_desktop.domain.commandline.posix_words import escaped_character
from gglib_desktop.domain.commandline.shell import chosen_command, inside
from gglib_desktop.domain.commandline.variables import assigned
from gglib_desktop.domain.commandline.words import Word

# Keys of a quadlet, and the options of podman run that they become.
_QUADLET_OPTIONS = {"Environment": "-e", "Volume": "-v", "Mount": "--mount", "Entrypoint": "--entrypoint"}
_EXEC_PREFIXES = "-@:+!|"
_UNIT_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[^\s"'\\])+""", re.DOTALL)
_UNIT_PIECE = re.compile(
    r"""\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"""
    r"""|(["'])|%(.)|\$(?:\{(\w+)\}|(\$)|(\w+))|[^\\"'%$]+|.""",
    re.DOTALL,
)
_UNIT_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "f": "\f", "v": "\v", "a": "\a", "b": "\b"}


def unit_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation:
    """The first start that names llama-server, else the last."""
    starts: list[str] = []
    environment: list[tuple[str, Word]] = []
    around: list[str] = []
    for line in _unit_lines(text):
        key, _equals, value = (part.strip() for part in line.partition("="))
        if key == "ExecStart" and value:
            starts.append(value)
        elif key == "ExecStart":
            # In a drop-in, an empty value takes back earlier ones.
            around += [f"ExecStart={each}" for each in starts]
            starts = []
        elif key == "Environment" and value:
            environment += [pair for word in unit_words(value, None, variables) if (pair := assigned(word))]
        elif key == "Environment":
            around += [f"Environment={name}={word.text}" for name, word in environment]
            environment = []
        else:
            around.append(line)
    start = next(filter(mentions_server, starts), starts[-1] if starts else "")
    around += [f"ExecStart={each}" for each in starts if each != start]
    known = {name: word.text for name, word in environment if not word.unresolved}
    found = chosen_command(unit_words(start.lstrip(_EXEC_PREFIXES), known, variables), variables, knows)
    return replace(found, environment=(*environment, *found.environment), around=(*found.around, *around))


def quadlet_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """A unit that describes a container, read as the arguments of ``podman run``."""
    options: list[Word] = []
    image, command = Word(""), list[Word]()
    around: list[str] = []
    for line in _unit_lines(text):
        key, _equals, value = (part.strip() for part in line.partition("="))
        words = unit_words(f"{key} {value}", {}, variables)[1:]
        if key == "Exec":
            command = words
        elif key == "PodmanArgs":
            options += words
        elif key in _QUADLET_OPTIONS:
            options += [each for word in words for each in (Word(_QUADLET_OPTIONS[key]), word)]
        elif key == "Image":
            image = next(iter(words), image)
        around += [] if key in {"Exec", "Environment"} else [line]
    run = [Word("podman"), Word("run"), *options, image, *command]
    found = candidate(run, knows, inside(variables, knows))
    return replace(found.invocation, around=tuple(around)) if found else None


def _unit_lines(text: str) -> Iterator[str]:
    """Lines with their continuations, without comments and section headers."""
    joined = ""
    for line in text.split("\n"):
        bare = line.strip()
        if bare[:1] in {"#", ";"}:
            continue
        joined += bare.removesuffix("\\")
        if bare.endswith("\\"):
            joined += " "
            continue
        if joined and not joined.startswith("["):
            yield joined
        joined = ""


def unit_words(text: str, known: Mapping[str, str] | None, variables: Mapping[str, str]) -> list[Word]:
    """Words as systemd splits them. ``known`` are the unit's variables, None where a dollar sign is plain text."""
    words: list[Word] = []
    for position, found in enumerate(_UNIT_WORD.finditer(text)):
        if found[0] == ";":
            break
        # systemd does not expand variables in the program's name.
        words += _unit_word(found[0], known if position else None, variables)
    return words


def _unit_word(text: str, known: Mapping[str, str] | None, variables: Mapping[str, str]) -> list[Word]:
    pieces: list[str] = []
    unresolved, mark = False, ""
    for found in _UNIT_PIECE.finditer(text):
        *codes, escaped, quote, specifier, braced, dollar, name = found.groups()
        code = next(filter(None, codes), None)
        piece = found[0]
        if code or escaped:
            piece = (escaped_character(code) or piece) if code else _UNIT_ESCAPES.get(escaped, escaped)
        elif quote and mark in {"", quote}:
            piece, mark = "", "" if mark else quote
        elif specifier:
            home = variables.get("HOME")
            known_specifier = {"%": "%"} | ({"h": home} if home else {})
            piece, unresolved = known_specifier.get(specifier, piece), unresolved or specifier not in known_specifier
        elif known is not None and dollar:
            piece = "$"
        elif known is not None and (braced or name):
            value = known.get(braced or name)
            if name and text == found[0] and value is not None:
                return [Word(each) for each in value.split()]
            piece, unresolved = piece if value is None else value, unresolved or value is None
        pieces.append(piece)
    return [Word("".join(pieces), unresolved)]
