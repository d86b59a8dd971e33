"""Finds the start of llama-server in YAML: compose files, llama-swap's configuration, Kubernetes and others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gglib_desktop.domain.commandline.container import mount, volumes
from gglib_desktop.domain.commandline.files.pods import pod_invocation, pod_of
from gglib_desktop.domain.commandline.files.yaml_text import NotYaml, documents
from gglib_desktop.domain.commandline.invocation import Invocation, KnownFlag
from gglib_desktop.domain.commandline.posix_words import sh_words
from gglib_desktop.domain.commandline.shell import Splitter, chosen_command, splitter
from gglib_desktop.domain.commandline.variables import Variables, assigned, interpolated, with_macros
from gglib_desktop.domain.commandline.words import Operator, Unclosed, Word

_COMMANDS = ("command", "cmd", "args", "entrypoint")
# A template's value begins as a mapping does.
_TEMPLATE = re.compile(r"^([ \t]*(?:-[ \t]+)?(?:[\w.-]+:[ \t]+)?(?<=[ \t]))(\{\{.*)$", re.MULTILINE)
_DASHED_MACRO = re.compile(r"\$\{\w+(?:-\w+)+\}")
# Every shell reads it as a letter.
_HYPHEN = "\u01c0"
_OWN_VARIABLE = re.compile(r"\$\((\w+)\)")


def yaml_invocation(text: str, variables: Mapping[str, str], knows: KnownFlag) -> Invocation | None:
    """The first command, or the one that names llama; None if there is none, or if the text is not YAML."""
    try:
        trees = list(documents(_TEMPLATE.sub(_quoted, text)))
    except NotYaml:
        return None
    tree: Any = trees[0] if len(trees) == 1 else trees
    if isinstance(tree, list) and all(isinstance(item, str) for item in tree):
        return chosen_command(list_words(tree, variables, {}), variables, knows) if tree else None
    services = [node for node in _mappings(tree) if _is_service(node)]
    if not services:
        return None
    service = next(filter(_mentions_llama, services), services[0])
    pod = pod_of(service, _mappings(tree))
    if pod is None:
        found = _service_invocation(service, variables, _macros(tree, service), knows)
    else:
        found = pod_invocation(pod, service, _environment(service), variables, knows)
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
            words += list_words(part, variables, own)
        elif isinstance(part, str) and part:
            words += _macro_words(part, variables, macros) if key == "cmd" else _text_words(part, variables)
    found = chosen_command(words, {**variables, **own}, knows) if words else Invocation(())
    contained = "image" in service or "build" in service
    return replace(
        found,
        environment=(*environment, *found.environment),
        mounts=(*found.mounts, *_volumes(service, variables)),
        contained=found.contained or contained,
    )


def list_words(items: Sequence[Any], variables: Mapping[str, str], own: Mapping[str, str]) -> list[Word]:
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
