"""The names by which clients choose a model, and their form in ``--alias``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

ALIAS_FLAGS = frozenset({"--alias", "-a"})
# Control characters, halves of characters and ends of lines, by category.
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PATH = re.compile(r"^(?:(?:~|\.{1,2})?[\\/]|[A-Za-z]:[\\/])|[\\/].*\.gguf$", re.IGNORECASE | re.DOTALL)
# The system refuses command lines with much longer words; people do not type such names.
_LONGEST_DEFAULT = 200
_NUMBER = re.compile(r" \([1-9]\d*\)")
_NUMBERED = re.compile(r"(.+) \([1-9]\d*\)")


def clean_name(text: str) -> str:
    """A text as one name, maybe empty. Commas, where llama-server splits, and control characters become spaces."""
    return " ".join("".join(" " if _separates(character) else character for character in text).split())


def names_in(alias: str | None) -> tuple[str, ...]:
    """The names in an alias. llama-server answers to all of them, and lists the one first that sorts first."""
    return tuple(dict.fromkeys(filter(None, map(clean_name, (alias or "").split(",")))))


def default_names(model_name: str, path: Path) -> tuple[str, ...]:
    """The model's name, else the file's without its ending; empty if both have nothing visible.

    Some converters write a path on their computer as the name; only its end is used.
    """
    found = _without_folders(clean_name(model_name)) or clean_name(path.stem)
    return (found[:_LONGEST_DEFAULT].rstrip(),) if found else ()


def free_names(wanted: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    """The names; taken ones get a number: ``Tiny (2)``."""
    found: list[str] = []
    for name in wanted:
        candidate, number = name, 1
        while candidate in taken or candidate in found:
            number += 1
            candidate = f"{without_number(name)} ({number})"
        found.append(candidate)
    return tuple(found)


def alias_taken_out(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The alias in a list of arguments, None without one, and the other arguments.

    Several are joined: llama-server adds each to those before.
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


def is_path(name: str) -> bool:
    """Whether a text is the path of a file or folder, and so not a name."""
    return _PATH.search(name) is not None


def are_numbered(names: Sequence[str], plain: Sequence[str]) -> bool:
    """Whether names equal others except for added numbers."""
    return len(names) == len(plain) and all(
        name == other or (name.startswith(other) and _NUMBER.fullmatch(name, len(other)))
        for name, other in zip(names, plain, strict=True)
    )


def without_number(name: str) -> str:
    """The original name of a taken one that got a number."""
    found = _NUMBERED.fullmatch(name)
    return found[1] if found else name


def _without_folders(name: str) -> str:
    if is_path(name):
        name = re.split(r"[\\/]", name.rstrip("\\/"))[-1].removesuffix(".gguf")
    return name if name.strip(".") else ""


def _separates(character: str) -> bool:
    return character == "," or unicodedata.category(character) in _CONTROL
