"""A server's command line as a model of a llama-server in router mode: a section of its file of presets.

Such a file has no quotes and no escapes: a value ends at a comment or with its line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from gglib_desktop.domain.commandline.exports.containers import NAME, parsed
from gglib_desktop.domain.commandline.exports.shells import sh_quoted
from gglib_desktop.domain.commandline.vocabulary import Argument
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.llama_cpp.help import MODEL_FLAGS

# The router has them for itself, and chooses them for its servers.
_OF_THE_ROUTER = frozenset({"--host", "--port"})
_ENDS_A_VALUE = re.compile(r"[;#\r\n]|^[ \t]|[ \t]$")
# A star is the section of defaults, and what follows a colon is put into capitals. Aliases stay as they are.
_NOT_IN_A_NAME = re.compile(r"[]:*\r\n]")


def router_preset(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A file with one model. Raises: ConfigurationError for the choice that it cannot hold."""
    arguments = parsed(list(itertools.dropwhile(lambda word: not word.startswith("-"), words)))
    own = [word for each in arguments if each.flag in _OF_THE_ROUTER for word in each.written]
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
    lines = [f"# Set {each} in the environment of llama-server." for each in (*settings, *keys)]
    lines += [f"# llama-server --models-preset FILE {' '.join(map(sh_quoted, own))}", "version = 1", "", f"[{name}]"]
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in entries.items())]) + "\n"


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
