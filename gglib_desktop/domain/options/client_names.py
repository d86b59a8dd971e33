"""The names by which clients choose a model: what ``/v1/models`` tells, and llama-server's ``--alias`` says."""

from __future__ import annotations

import functools
import re
import shlex
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

ALIAS_FLAGS = frozenset({"--alias", "-a"})
# Control characters, halves of characters and ends of lines, by category.
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PATH = re.compile(r"^(?:(?:~|\.{1,2})?[\\/]|[A-Za-z]:[\\/])|[\\/].*\.gguf$", re.IGNORECASE | re.DOTALL)
# The system refuses command lines with words that are far longer, and nobody types such a name.
_LONGEST_DEFAULT = 200
_NUMBER = re.compile(r" \([1-9]\d*\)")
_NUMBERED = re.compile(r"(.+) \([1-9]\d*\)")


def clean_name(text: str) -> str:
    """A text as one name, maybe empty: commas, which llama-server splits at, and control characters are spaces."""
    return " ".join("".join(" " if _separates(character) else character for character in text).split())


def names_in(alias: str | None) -> tuple[str, ...]:
    """The names that an alias lists. llama-server answers to all, and names first the one that sorts first."""
    return tuple(dict.fromkeys(filter(None, map(clean_name, (alias or "").split(",")))))


def default_names(model_name: str, path: Path) -> tuple[str, ...]:
    """The model's name, else the file's without its ending; none where neither has anything to show.

    Some converters write the path of a folder on their computer for a name; only its end is told.
    """
    found = _without_folders(clean_name(model_name)) or clean_name(path.stem)
    return (found[:_LONGEST_DEFAULT].rstrip(),) if found else ()


def free_names(wanted: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    """The names, those that are taken with a number: ``Tiny (2)``."""
    found: list[str] = []
    for name in wanted:
        candidate, number = name, 1
        while candidate in taken or candidate in found:
            number += 1
            candidate = f"{without_number(name)} ({number})"
        found.append(candidate)
    return tuple(found)


def alias_taken_out(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """What a list of arguments says of aliases, None for nothing, and the other arguments.

    All that it says is joined: llama-server adds each to those before.
    """
    found: list[str] = []
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag not in ALIAS_FLAGS or not (equals or rest):
            others.append(word)
        else:
            found.append(value if equals else rest.pop(0))
    return (",".join(found) if found else None), tuple(others)


@functools.lru_cache(maxsize=256)  # asked at every key stroke in a form, for every server
def names_said(command_line: str) -> tuple[str, ...]:
    """The names that a command line for a shell gives the server."""
    try:
        words = shlex.split(command_line)
    except ValueError:
        return ()
    return names_in(alias_taken_out(words)[0])


def names_told(models: object) -> tuple[str, ...]:
    """The names in an answer of ``/v1/models`` about one model. What is the path of a file is no name."""
    listed = models.get("data") if isinstance(models, dict) else None
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return ()
    aliases = listed[0].get("aliases")
    told = aliases if isinstance(aliases, list) and aliases else [listed[0].get("id")]
    return tuple(name for each in told if isinstance(each, str) and not _PATH.search(each) for name in names_in(each))


def are_numbered(names: Sequence[str], plain: Sequence[str]) -> bool:
    """Whether names are other ones, of which some have got a number."""
    return len(names) == len(plain) and all(
        name == other or (name.startswith(other) and _NUMBER.fullmatch(name, len(other)))
        for name, other in zip(names, plain, strict=True)
    )


def without_number(name: str) -> str:
    """The name that a taken one had before it got a number."""
    found = _NUMBERED.fullmatch(name)
    return found[1] if found else name


def _without_folders(name: str) -> str:
    if _PATH.search(name):
        name = re.split(r"[\\/]", name.rstrip("\\/"))[-1].removesuffix(".gguf")
    return name if name.strip(".") else ""


def _separates(character: str) -> bool:
    return character == "," or unicodedata.category(character) in _CONTROL
