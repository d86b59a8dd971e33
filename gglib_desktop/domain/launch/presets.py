"""Named sets of launch choices, for one model or for all."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.options.arguments import shell_line

LONGEST_NAME = 64
# Control characters, surrogates and ends of lines, by category; and characters that change the writing direction.
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_INVISIBLE = frozenset({"C", "Z"})


@dataclass(frozen=True)
class Preset:
    """A named layer of choices. ``model_id`` None: for all models. ``id`` None: not stored yet.

    Raises: ConfigurationError for ``preset_name``, or for ``extra_args`` if they hold a key.
    """

    name: str
    options: LaunchOptions
    model_id: int | None = None
    id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", preset_name(self.name))
        shown = shell_line(self.options.extra_args)
        if shown != shlex.join(self.options.extra_args):
            reason = "a preset is no place for a key: take it out of the extra arguments first"
            raise ConfigurationError("extra_args", shown, reason)


def preset_name(text: str) -> str:
    """A name in its stored form, without white space around it. Raises: ConfigurationError for ``preset_name``."""
    name = text.strip()
    if all(unicodedata.category(character)[0] in _INVISIBLE for character in name):
        raise ConfigurationError("preset_name", text, "must not be empty")
    if len(name) > LONGEST_NAME:
        raise ConfigurationError("preset_name", text, f"must have at most {LONGEST_NAME} characters")
    if any(map(_is_control, name)):
        raise ConfigurationError("preset_name", text, "must not contain control characters")
    return name


def check_is_free(name: str, taken: Collection[str]) -> None:
    """Raises: ConfigurationError for ``preset_name`` if another preset has it, whatever the capital letters."""
    if _folded(name) in map(_folded, taken):
        raise ConfigurationError("preset_name", name, "another preset has this name")


def free_name(name: str, taken: Collection[str]) -> str:
    """The name itself, or a similar one that is not taken."""
    folded = {_folded(each) for each in taken}
    number, candidate = 1, name
    while _folded(candidate) in folded:
        number += 1
        ending = f" ({number})"
        candidate = name[: LONGEST_NAME - len(ending)].rstrip() + ending
    return candidate


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROL or unicodedata.bidirectional(character) in _TURNING


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).casefold()
