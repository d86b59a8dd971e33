"""Finds the start of llama-server in a file: a unit, YAML, variables, or another program's source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from gglib_desktop.domain.commandline.files.dockerfiles import dockerfile_invocation
from gglib_desktop.domain.commandline.files.env_files import env_file_invocation
from gglib_desktop.domain.commandline.files.services import list_words, yaml_invocation
from gglib_desktop.domain.commandline.files.supervisors import launchd_invocation, supervisor_invocation
from gglib_desktop.domain.commandline.files.units import quadlet_invocation, unit_invocation
from gglib_desktop.domain.commandline.files.yaml_text import NotYaml, documents
from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, looks_like_flag
from gglib_desktop.domain.commandline.shell import chosen_command, shell_invocation

_UNIT = re.compile(r"^[ \t]*ExecStart[ \t]*=", re.MULTILINE)
_QUADLET = re.compile(r"^[ \t]*\[Container\]", re.MULTILINE)
_SUPERVISED = re.compile(r"^[ \t]*\[program:[^\]\n]+\]", re.MULTILINE)
_LAUNCHD = re.compile(r"<key>\s*ProgramArguments\s*</key>")
_DOCKERFILE = re.compile(r"^[ \t]*(?:FROM|ENTRYPOINT)[ \t]+\S", re.MULTILINE)
_DOCKERFILE_START = re.compile(r"^[ \t]*(?:CMD|ENTRYPOINT|ENV)[ \t]", re.MULTILINE)
_YAML = re.compile(
    r"""(?:^|[{,])[ \t]*(?:-[ \t]+)?["']?(?:command|cmd|args|entrypoint|environment|env)["']?[ \t]*:""", re.MULTILINE
)
_LIST = re.compile(
    r'\s*(?:(?:CMD|ENTRYPOINT)\s*)?\[\s*(?:"[^"]*"|\'[^\']*\')\s*(?:,|\]\s*$)|\s*-\s+\S[^\n]*(?:\n\s*-\s+\S[^\n]*)+\s*$'
)
# What a list or a call in a program's source begins with.
_FIRST_OF_LIST = re.compile(r"""[\[(]\s*[rRfFbBuU]{0,2}["']([^"'\n]{1,4000})["']\s*[,)]""")
_OUR_PROGRAM = re.compile(r"server(?:\.exe)?(?:$|.*\s-)", re.IGNORECASE)
_SOURCE_PIECE = re.compile(
    r"""([rRfFbBuU]{0,2})(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')|(\*{0,2}[A-Za-z_][\w.]*(?:\([^()\n]*\))?)(?=\s*[,\]])"""
)
_CALL_PIECE = re.compile(
    r"""\s*(?:([rRfFbBuU]{0,2}(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')|[A-Za-z_][\w.]*(?=\s*[,\])]))|[\[\],])"""
)
_PUT_IN = re.compile(r"\{[^{}]*\}")


def file_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The start of llama-server in a unit, a Dockerfile, YAML, ...; None if the text is no such file."""
    if _QUADLET.search(text):
        return quadlet_invocation(text, variables, knows)
    if _UNIT.search(text):
        return unit_invocation(text, variables, knows)
    if _SUPERVISED.search(text):
        return supervisor_invocation(text, variables, knows)
    if _LAUNCHD.search(text):
        return launchd_invocation(text, variables, knows)
    if _DOCKERFILE.search(text) and _DOCKERFILE_START.search(text):
        return dockerfile_invocation(text, variables, knows)
    if _YAML.search(text) or _LIST.match(text):
        text = re.sub(r"^\s*(?:CMD|ENTRYPOINT)[ \t]*(?=\[)", "", text)
        # An entry may have been copied out of a list of several.
        return yaml_invocation(text.rstrip().removesuffix(","), variables, knows)
    return env_file_invocation(text, variables, knows)


def listed_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The start of llama-server in another program's source: a list, or arguments of a call. Some may be names."""
    lists = _FIRST_OF_LIST.finditer(text)
    found = next((each for each in lists if _OUR_PROGRAM.search(each[1])), None)
    if not found:
        return None
    pieces = _members(text, found.start()) if found[0].startswith("(") else text[found.start() :]
    try:
        # The rest of the program follows the list; it is not read.
        tree = next(documents(_SOURCE_PIECE.sub(_as_yaml, pieces)))
    except NotYaml:
        return None
    words = list_words(tree, variables, {})
    # A command in one text, or all of its flags in one.
    joined = any(" " in word.text and (not place or looks_like_flag(word.text)) for place, word in enumerate(words))
    whole = shell_invocation(" ".join(word.text for word in words), variables, knows) if joined else None
    around = tuple(filter(None, [text[: found.start()].strip()]))
    return replace(whole or chosen_command(words, variables, knows), around=around)


def _members(text: str, at: int) -> str:
    """The texts and names between the brackets of a call, as one list; brackets of a list within are passed over."""
    pieces: list[str] = []
    while found := _CALL_PIECE.match(text, at + 1):
        pieces += [found[1]] if found[1] else []
        at = found.end() - 1
    return "[" + ", ".join(pieces) + "]"


def _as_yaml(piece: re.Match[str]) -> str:
    """A text, or a name as a variable without a known value."""
    prefix, double, single, name = piece.groups()
    if name:
        return f'"${{{name}}}"'
    text = double if single is None else single.replace('"', '\\"')
    text = text.replace("\\", "\\\\") if "r" in prefix.lower() else text
    return '"' + (_PUT_IN.sub(r"$\g<0>", text) if "f" in prefix.lower() else text) + '"'
