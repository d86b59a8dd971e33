"""Reads llama-server's own ``--help``, ``--version`` and ``--list-devices``, in builds since 2023."""

from __future__ import annotations

import re

from gglib_desktop.domain.engine.capabilities import EngineCapabilities, EngineDevice

MODEL_FLAGS = frozenset({"-m", "--model"})
# With one of these flags the program prints something and ends.
NO_SERVER_FLAGS = frozenset(
    {"-h", "--help", "--usage", "--version", "--list-devices", "-cl", "--cache-list", "--completion-bash"}
)
_FLAG = re.compile(r"(-{1,2}[A-Za-z][\w.-]*)(?=[,\s]|$)")
# Builds of 2023 repeat the value: "-c N, --ctx-size N".
_NEXT_SPELLING = re.compile(r"(?: [^\s,-]\S*?)?,\s*(?=-)")
# Builds before autumn 2024 and ik_llama.cpp indent options by up to nine, descriptions by 28 or more.
_MOST_INDENT = 12
_VARIABLE = re.compile(r"\(env: (\w+)\)")
_LISTED_CHOICE = re.compile(r"- ([\w+]+):")
_DEVICE = re.compile(r"\s+(\S+): (.+) \((\d+) MiB, \d+ MiB free\)\s*$")
_NOT_SUPPORTED_ANY_MORE = "has been removed"


def parse_help(text: str) -> EngineCapabilities:
    """The capabilities that the output of ``llama-server --help`` lists."""
    spellings: dict[str, frozenset[str]] = {}
    removed: dict[str, str] = {}
    spec_types: frozenset[str] = frozenset()
    placeholders: dict[str, str] = {}
    environment: dict[str, frozenset[str]] = {}
    load_modes: frozenset[str] = frozenset()
    has_sockets = False
    for first_line, entry in _entries(text):
        names, rest = _leading_flags(entry)
        placeholder = _placeholder(first_line)
        placeholders.update(dict.fromkeys(names, placeholder))
        environment.update(dict.fromkeys(_VARIABLE.findall(rest), names))
        if _NOT_SUPPORTED_ANY_MORE in rest:
            removed.update(dict.fromkeys(names, _advice(rest)))
            continue
        spellings.update(dict.fromkeys(names, names))
        has_sockets |= "--host" in names and ".sock" in rest
        if "--spec-type" in names:
            spec_types = _choices(placeholder)
        elif "--load-mode" in names:
            listed = frozenset(_LISTED_CHOICE.findall(rest))
            load_modes = listed or _choices(placeholder)
    return EngineCapabilities(spellings, removed, spec_types, placeholders, environment, load_modes, has_sockets)


def _choices(placeholder: str) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[,|]", placeholder.strip("[]{}<>"))))


def _advice(description: str) -> str:
    """The advice beside a removed flag: ``use --spec-draft-n-max``."""
    advice = description.partition(_NOT_SUPPORTED_ANY_MORE)[2]
    return _VARIABLE.sub("", advice).strip(" .")


def parse_devices(text: str) -> tuple[EngineDevice, ...]:
    """The devices in the output of ``--list-devices``, among any log lines."""
    _before, _title, listed = text.partition("Available devices:")
    return tuple(
        EngineDevice(found[1], found[2], int(found[3]) * 2**20)
        for found in map(_DEVICE.match, listed.splitlines())
        if found
    )


def parse_version(text: str) -> str | None:
    """The text after ``version:`` in the output of ``--version``, None without it."""
    found = re.search(r"^version:\s*(.+?)\s*$", text, re.MULTILINE)
    return found.group(1) if found else None


def _entries(text: str) -> list[tuple[str, str]]:
    """Each option's first line, and the same with the indented lines that follow, white space folded."""
    entries: list[tuple[str, str]] = []
    for line in text.splitlines():
        said = line.strip()
        indent = len(line) - len(line.lstrip())
        if indent <= _MOST_INDENT and _FLAG.match(said):
            entries.append((said, said))
        elif entries and indent:
            first_line, entry = entries[-1]
            entries[-1] = (first_line, f"{entry} {said}")
    return entries


def _leading_flags(entry: str) -> tuple[frozenset[str], str]:
    names: set[str] = set()
    position = 0
    while found := _FLAG.match(entry, position):
        names.add(found.group(1))
        position = found.end()
        if following := _NEXT_SPELLING.match(entry, position):
            position = following.end()
    return frozenset(names), entry[position:].removeprefix(" ")


def _placeholder(first_line: str) -> str:
    # One space stands before it, two or more before the description.
    _names, rest = _leading_flags(first_line)
    return "" if rest.startswith(" ") else re.split(r"\s{2,}", rest, maxsplit=1)[0]
