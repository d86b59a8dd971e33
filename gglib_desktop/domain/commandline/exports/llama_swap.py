"""A server's command line as a model of llama-swap, which starts it when a client asks for it.

The format is from llama-swap's own guides (writing a model's cmd, macros, API keys) and its example of a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gglib_desktop.domain.commandline.exports.containers import NAME, parsed
from gglib_desktop.domain.commandline.exports.shells import sh_quoted
from gglib_desktop.domain.commandline.exports.yaml_writing import Block, Tree, yaml_text
from gglib_desktop.domain.options.host import LOOPBACK

# llama-swap chooses the port, and alone reaches the server; it has an address of its own for clients.
_OWN = {"--host": LOOPBACK, "--port": "${PORT}"}


def llama_swap(words: Sequence[str], settings: Mapping[str, str], keys: Sequence[str]) -> str:
    """A configuration with one model; its name is the first of those for clients."""
    program, *rest = words
    lines = [_quoted(program)]
    name, *others = [NAME]
    for argument in parsed(rest):
        written = [_quoted(word) for word in argument.written]
        if argument.flag in _OWN:
            written = [written[0], _OWN[argument.flag]]
        if argument.flag == "--alias":
            name, *others = argument.value.split(",")
        if argument.flag:
            lines.append(" ".join(written))
        else:
            lines[-1] += " " + " ".join(written)
    model: dict[str, Tree] = {"cmd": Block("\n".join(lines) + "\n")}
    if others:
        model["aliases"] = others
    if settings or keys:
        variables = [f"{each}={value}" for each, value in settings.items()]
        model["env"] = [*variables, *(f"{each}=${{env.{each}}}" for each in keys)]
    comments = [f"Set {each} in the environment of llama-swap." for each in keys]
    return yaml_text({"models": {name: model}}, comments=comments)


def _quoted(word: str) -> str:
    """As for a shell. Quotes keep llama-swap from what it does before it splits a command into words.

    It puts in macros at ``${``, leaves out lines that begin with #, and takes a backslash from the end of a line.
    """
    return sh_quoted(word).replace("${", "$''{").replace("\n", "''\n''")
