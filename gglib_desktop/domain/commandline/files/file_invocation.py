"""Finds the start of llama-server in a file: a unit, YAML, or a list in another program's source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from gglib_desktop.domain.commandline.files.services import list_words, yaml_invocation
from gglib_desktop.domain.commandline.files.units import quadlet_invocation, unit_invocation
from gglib_desktop.domain.commandline.files.yaml_text import NotYaml, documents
from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag
from gglib_desktop.domain.commandline.shell import chosen_command

_UNIT = re.compile(r"^[ \t]*ExecStart[ \t]*=", re.MULTILINE)
_QUADLET = re.compile(r"^[ \t]*\[Container\]", re.MULTILINE)
_YAML = re.compile(
    r"""(?:^|[{,])[ \t]*(?:-[ \t]+)?["']?(?:command|cmd|args|entrypoint|environment|env)["']?[ \t]*:""", re.MULTILINE
)
_LIST = re.compile(
    r'\s*(?:(?:CMD|ENTRYPOINT)\s*)?\[\s*(?:"[^"]*"|\'[^\']*\')\s*(?:,|\]\s*$)|\s*-\s+\S[^\n]*(?:\n\s*-\s+\S[^\n]*)+\s*$'
)
# A list in a program's source that starts with our server.
_PROGRAM_LIST = re.compile(r"""\[\s*[rRfFbBuU]{0,2}["'][^"'\n]*server(?:\.exe)?["']\s*,""")
_SOURCE_PIECE = re.compile(
    r"""([rRfFbBuU]{0,2})(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')|(\*{0,2}[A-Za-z_][\w.]*(?:\([^()\n]*\))?)(?=\s*[,\]])"""
)
_PUT_IN = re.compile(r"\{[^{}]*\}")


def file_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The start of llama-server in a unit, a quadlet or a YAML file; None if the text is none of them."""
    if _QUADLET.search(text):
        return quadlet_invocation(text, variables, knows)
    if _UNIT.search(text):
        return unit_invocation(text, variables, knows)
    if _YAML.search(text) or _LIST.match(text):
        return yaml_invocation(re.sub(r"^\s*(?:CMD|ENTRYPOINT)[ \t]*(?=\[)", "", text), variables, knows)
    return None


def listed_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The start of llama-server as a list in another program's source, where some members may be names."""
    found = _PROGRAM_LIST.search(text)
    if not found:
        return None
    try:
        # The rest of the program follows the list; it is not read.
        tree = next(documents(_SOURCE_PIECE.sub(_as_yaml, text[found.start() :])))
    except NotYaml:
        return None
    around = tuple(filter(None, [text[: found.start()].strip()]))
    return replace(chosen_command(list_words(tree, variables, {}), variables, knows), around=around)


def _as_yaml(piece: re.Match[str]) -> str:
    """A text, or a name as a variable without a known value."""
    prefix, double, single, name = piece.groups()
    if name:
        return f'"${{{name}}}"'
    text = double if single is None else single.replace('"', '\\"')
    text = text.replace("\\", "\\\\") if "r" in prefix.lower() else text
    return '"' + (_PUT_IN.sub(r"$\g<0>", text) if "f" in prefix.lower() else text) + '"'
