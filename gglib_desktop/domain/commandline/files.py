"""Finds the start of llama-server in files: systemd units, compose files, llama-swap's and others in YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gglib_desktop.domain.commandline.container import mount, volumes
from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag, Recursion, candidate, mentions_server
from gglib_desktop.domain.commandline.posix_words import escaped_character, sh_words
from gglib_desktop.domain.commandline.shell import Splitter, shell_invocation, splitter
from gglib_desktop.domain.commandline.variables import Variables, assigned, interpolated, with_macros
from gglib_desktop.domain.commandline.words import Operator, Unclosed, Word
from gglib_desktop.domain.commandline.yaml_text import NotYaml, documents

_UNIT = re.compile(r"^[ \t]*ExecStart[ \t]*=", re.MULTILINE)
_QUADLET = re.compile(r"^[ \t]*\[Container\]", re.MULTILINE)
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
_COMMANDS = ("command", "cmd", "args", "entrypoint")
_YAML = re.compile(
    r"""(?:^|[{,])[ \t]*(?:-[ \t]+)?["']?(?:command|cmd|args|entrypoint|environment|env)["']?[ \t]*:""", re.MULTILINE
)
# A template's value begins as a mapping does.
_TEMPLATE = re.compile(r"^([ \t]*(?:-[ \t]+)?(?:[\w.-]+:[ \t]+)?(?<=[ \t]))(\{\{.*)$", re.MULTILINE)
_LIST = re.compile(
    r'\s*(?:(?:CMD|ENTRYPOINT)\s*)?\[\s*(?:"[^"]*"|\'[^\']*\')\s*(?:,|\]\s*$)|\s*-\s+\S[^\n]*(?:\n\s*-\s+\S[^\n]*)+\s*$'
)
# A list in a program's source that starts with our server.
_PROGRAM_LIST = re.compile(r"""\[\s*[rRfFbBuU]{0,2}["'][^"'\n]*server(?:\.exe)?["']\s*,""")
_SOURCE_PIECE = re.compile(
    r"""([rRfFbBuU]{0,2})(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')|(\*{0,2}[A-Za-z_][\w.]*(?:\([^()\n]*\))?)(?=\s*[,\]])"""
)
_PUT_IN = re.compile(r"\{[^{}]*\}")
_DASHED_MACRO = re.compile(r"\$\{\w+(?:-\w+)+\}")
# Every shell reads it as a letter.
_HYPHEN = "\u01c0"
_OWN_VARIABLE = re.compile(r"\$\((\w+)\)")


def file_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The start of llama-server in a unit, a quadlet or a YAML file; None if the text is none of them."""
    if _QUADLET.search(text):
        return _quadlet_invocation(text, variables, knows)
    if _UNIT.search(text):
        return _unit_invocation(text, variables, knows)
    if _YAML.search(text) or _LIST.match(text):
        return _yaml_invocation(re.sub(r"^\s*(?:CMD|ENTRYPOINT)[ \t]*(?=\[)", "", text), variables, knows)
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
    return replace(_chosen(_list_words(tree, variables, {}), variables, knows), around=around)


def _as_yaml(piece: re.Match[str]) -> str:
    """A text, or a name as a variable without a known value."""
    prefix, double, single, name = piece.groups()
    if name:
        return f'"${{{name}}}"'
    text = double if single is None else single.replace('"', '\\"')
    text = text.replace("\\", "\\\\") if "r" in prefix.lower() else text
    return '"' + (_PUT_IN.sub(r"$\g<0>", text) if "f" in prefix.lower() else text) + '"'


def _chosen(words: list[Word], variables: Mapping[str, str], knows: KnownFlag) -> Invocation:
    """Words that are known to be a command, whatever the first one is called."""
    found = candidate(words, knows, _inside(variables, knows))
    return found.invocation if found else Invocation(tuple(words[1:]), (), tuple(word.text for word in words[:1]))


def _inside(variables: Mapping[str, str], knows: KnownFlag) -> Recursion:
    return lambda text: shell_invocation(text, variables, knows)


# -- systemd


def _unit_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation:
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
    found = _chosen(unit_words(start.lstrip(_EXEC_PREFIXES), known, variables), variables, knows)
    return replace(found, environment=(*environment, *found.environment), around=(*found.around, *around))


def _quadlet_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
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
    found = candidate([Word("podman"), Word("run"), *options, image, *command], knows, _inside(variables, knows))
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


# -- YAML


def _yaml_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    try:
        trees = list(documents(_TEMPLATE.sub(_quoted, text)))
    except NotYaml:
        return None
    tree: Any = trees[0] if len(trees) == 1 else trees
    if isinstance(tree, list) and all(isinstance(item, str) for item in tree):
        return _chosen(_list_words(tree, variables, {}), variables, knows) if tree else None
    services = [node for node in _mappings(tree) if _is_service(node)]
    if not services:
        return None
    service = next(filter(_mentions_llama, services), services[0])
    found = _service_invocation(service, variables, _macros(tree, service), knows)
    used = {"command", "cmd", "args", "environment", "env", "macros"}
    read = [service.get(key) for key in used] + ([tree.get("macros")] if isinstance(tree, dict) else [])
    others = _mappings(tree, without=read)
    around = [line for node in others for line in _leaves(node, used if node is service else set())]
    return replace(found, around=(*found.around, *around))


def _quoted(template: re.Match[str]) -> str:
    return template[1] + "'" + template[2].replace("'", "''") + "'"


def _mappings(tree: Any, without: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The mappings in a tree, each once, without some nodes and what is below them."""
    found: list[dict[str, Any]] = []
    seen = {id(other) for other in without}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, dict | list):
            continue
        seen.add(id(node))
        found += [node] if isinstance(node, dict) else []
        waiting += reversed(list(node.values()) if isinstance(node, dict) else node)
    return found


def _is_service(node: dict[str, Any]) -> bool:
    return any(node.get(key) for key in _COMMANDS) or any(
        name.startswith("LLAMA_") for name, _word in _environment(node)
    )


def _mentions_llama(node: dict[str, Any]) -> bool:
    said = [node.get(key) for key in (*_COMMANDS, "image")]
    items = [item for each in said for item in (each if isinstance(each, list) else [each])]
    return "llama" in " ".join(item for item in items if isinstance(item, str)).lower()


def _leaves(node: dict[str, Any], used: set[str]) -> list[str]:
    """The lines of a mapping itself, without the keys in use and without inner mappings."""
    lines: list[str] = []
    for key, value in node.items():
        if key not in used and isinstance(value, str | list):
            items = value if isinstance(value, list) else [value]
            lines += [f"{key}: {item}" for item in items if isinstance(item, str)]
    return lines


def _macros(tree: Any, service: dict[str, Any]) -> dict[str, str]:
    """The llama-swap macros that a model's command may use. The model's own come before those of all models."""
    found: dict[str, str] = {}
    for node in _mappings(tree):
        found.update(("MODEL_ID", key) for key, value in node.items() if value is service)
    said = [node.get("macros") for node in (tree, service) if isinstance(node, dict)]
    for macros in said:
        pairs = macros.items() if isinstance(macros, dict) else ()
        found.update((name, value) for name, value in pairs if isinstance(value, str))
    return found


def _service_invocation(
    service: dict[str, Any], variables: Mapping[str, str], macros: Mapping[str, str], knows: KnownFlag
) -> Invocation:
    said = [(name, replace(word, text=with_macros(word.text, macros))) for name, word in _environment(service)]
    environment = [(name, word if word.unresolved else _interpolated(word.text, variables)) for name, word in said]
    own = {name: word.text for name, word in environment if not word.unresolved}
    words: list[Word] = []
    for key in ("entrypoint", *_COMMANDS[:3]):
        part = service.get(key)
        if isinstance(part, list):
            words += _list_words(part, variables, own)
        elif isinstance(part, str) and part:
            words += _macro_words(part, variables, macros) if key == "cmd" else _text_words(part, variables)
    found = _chosen(words, {**variables, **own}, knows) if words else Invocation(())
    contained = "image" in service or "build" in service
    return replace(
        found,
        environment=(*environment, *found.environment),
        mounts=(*found.mounts, *_volumes(service, variables)),
        contained=found.contained or contained,
    )


def _list_words(items: Sequence[Any], variables: Mapping[str, str], own: Mapping[str, str]) -> list[Word]:
    """Words in a list. Kubernetes replaces ``$(NAME)`` with variables that it sets itself."""
    texts = [each for each in items if isinstance(each, str)]
    texts = [_OWN_VARIABLE.sub(lambda found: own.get(found[1], found[0]), text) for text in texts]
    return [_interpolated(text, variables) for text in texts]


def _macro_words(text: str, variables: Mapping[str, str], macros: Mapping[str, str]) -> list[Word]:
    """Words of a llama-swap command, where a dash may be part of a name."""
    text = _DASHED_MACRO.sub(lambda found: found[0].replace("-", _HYPHEN), with_macros(text, macros))
    words = _split(text, variables, splitter(text))
    return [replace(word, text=word.text.replace(_HYPHEN, "-")) for word in words]


def _text_words(text: str, variables: Mapping[str, str]) -> list[Word]:
    return _split(text.replace("$$", "\\$"), variables, sh_words)


def _split(text: str, variables: Mapping[str, str], split: Splitter) -> list[Word]:
    try:
        tokens = split(text, Variables(variables))
    except Unclosed:
        return [Word(each) for each in text.split()]
    return [Word(each.text) if isinstance(each, Operator) else each for each in tokens if each != Operator("\n")]


def _environment(node: dict[str, Any]) -> list[tuple[str, Word]]:
    """Variables from a mapping, from a list of ``NAME=value``, or from Kubernetes' list of names and values."""
    found: list[tuple[str, Word]] = []
    for said in (node.get("environment"), node.get("env")):
        if isinstance(said, dict):
            found += [(name, Word(value)) for name, value in said.items() if isinstance(value, str)]
        for item in said if isinstance(said, list) else ():
            if isinstance(item, dict) and isinstance(name := item.get("name"), str):
                value = item.get("value")
                found.append((name, Word(value) if isinstance(value, str) else _from_elsewhere(name)))
            elif isinstance(item, str) and item:
                found.append(assigned(Word(item)) or (item, _from_elsewhere(item)))
    return found


def _from_elsewhere(name: str) -> Word:
    """The value of a variable that a file names without a value."""
    return Word(f"${name}", unresolved=True)


def _volumes(service: dict[str, Any], variables: Mapping[str, str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    listed = service.get("volumes")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            texts = {key: _interpolated(value, variables).text for key, value in item.items() if isinstance(value, str)}
            found += mount(texts)
        elif isinstance(item, str):
            word = _interpolated(item, variables)
            home = variables.get("HOME")
            expanded = home + word.text[1:] if home and word.text.startswith("~/") else word.text
            found += [] if word.unresolved else volumes([expanded])
    return found


def _interpolated(text: str, variables: Mapping[str, str]) -> Word:
    return interpolated(text, Variables(variables))
