"""A server's command line as a model of a llama-server in router mode: a section of its file of presets.

Such a file has no quotes and no escapes: a value ends at a comment or with its line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gglib_desktop.domain.commandline.exports.containers import NAME, parsed
from gglib_desktop.domain.commandline.exports.shells import sh_quoted
from gglib_desktop.domain.commandline.vocabulary import Argument
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.help import MODEL_FLAGS
from gglib_desktop.domain.options.client_names import free_names

# The router has them for itself, and chooses them for its servers.
_OF_THE_ROUTER = frozenset({"--host", "--port"})
_VERSION = "version = 1"
_MODEL = "model = "
_MOST_FLAG = "--models-max"
_ENDS_A_VALUE = re.compile(r"[;#\r\n]|^[ \t]|[ \t]$")
# A star is the section of defaults, and what follows a colon is put into capitals. Aliases stay as they are.
_NOT_IN_A_NAME = re.compile(r"[]:*\r\n]")


def router_preset(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A file with one model. Raises: ConfigurationError for the choice that it cannot hold."""
    arguments = _arguments(words)
    own = [word for each in arguments if each.flag in _OF_THE_ROUTER for word in each.written]
    section = _section(arguments)
    lines = [f"# Set {each} in the environment of llama-server." for each in (*settings, *keys)]
    lines += [f"# llama-server --models-preset FILE {' '.join(map(sh_quoted, own))}", _VERSION, "", *section.lines()]
    return "\n".join(lines) + "\n"


def models_preset(commands: Iterable[Sequence[str]], *, stop_s: int) -> str:
    """A file with one model for each command line. ``stop_s``: how long the router lets a model end.

    Raises: ConfigurationError as ``router_preset``.
    """
    sections = [_section(_arguments(words)) for words in commands]
    names = free_names((section.name for section in sections), ())
    lines = [_VERSION, "", "[*]", f"stop-timeout = {stop_s}"]
    for section, name in zip(sections, names, strict=True):
        lines += ["", *replace(section, name=name).lines()]
    return "\n".join(lines) + "\n"


def most_loaded(count: int | None) -> tuple[str, ...]:
    """The words with which at most so many models are loaded at once; None: as many as the engine allows itself."""
    return () if count is None else (_MOST_FLAG, str(count))


def model_files(preset: str) -> tuple[Path, ...]:
    """The model files that such a file names, in its order."""
    return tuple(Path(line.removeprefix(_MODEL)) for line in preset.splitlines() if line.startswith(_MODEL))


@dataclass(frozen=True)
class _Section:
    name: str
    entries: Mapping[str, str]

    def lines(self) -> list[str]:
        return [f"[{self.name}]", *(f"{key} = {value}" for key, value in self.entries.items())]


def _arguments(words: Sequence[str]) -> list[Argument]:
    return parsed(list(itertools.dropwhile(lambda word: not word.startswith("-"), words)))


def _section(arguments: Sequence[Argument]) -> _Section:
    entries: dict[str, str] = {}
    name = NAME
    for argument in arguments:
        if argument.flag in _OF_THE_ROUTER:
            continue
        key, value = _entry(argument)
        if key in entries:
            raise _refusal(argument, "is there more than once")
        entries[key] = value
        if argument.flag == "--alias":
            name = _NOT_IN_A_NAME.sub("-", value.partition(",")[0])
    return _Section(name, entries)


def _entry(argument: Argument) -> tuple[str, str]:
    if not argument.flag or len(argument.values) > 1:
        raise _refusal(argument, "is more than one value for a flag")
    key = _long_name(argument).lstrip("-")
    value = argument.value if argument.values else "true"
    if _ENDS_A_VALUE.search(value):
        raise _refusal(argument, "has a line break, a space at its end, or a ; or #, which no router preset can hold")
    return key, value


def _long_name(argument: Argument) -> str:
    """The flag as presets are written by hand: spelled out."""
    if argument.flag in MODEL_FLAGS:
        return "--model"
    spellings = argument.option.spec.flags if argument.option and argument.on else ()
    is_short = not argument.flag.startswith("--")
    return next((each for each in spellings if is_short and each.startswith("--")), argument.flag)


def _refusal(argument: Argument, reason: str) -> ConfigurationError:
    field = argument.option.name if argument.option else "extra_args"
    field = "model_path" if argument.flag in MODEL_FLAGS else field
    return ConfigurationError(field, argument.value or argument.flag, reason)
