"""Reads TOML and finds the line of a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gglib_desktop.domain.errors import SettingProblem

_SHOWN = 60
_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class TomlError(Exception):
    """Not TOML, or not text."""

    def __init__(self, problem: SettingProblem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read_toml(content: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a file and its content. Raises: TomlError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise TomlError(SettingProblem("", "is not UTF-8 text", line=line)) from exc
    try:
        return text, parse_toml(text)
    except ValueError as exc:
        lines = text.split("\n")
        found = _LINE.search(str(exc))
        line = int(found.group(1)) if found else len(text.rstrip().split("\n"))
        reason = f"{_LINE.sub('', str(exc)).strip()}: {lines[line - 1].strip()[:_SHOWN]}"
        raise TomlError(SettingProblem("", reason, line=line)) from exc


def parse_toml(text: str) -> dict[str, Any]:
    """Raises: ValueError with the line."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError as exc:
        raise ValueError("Too many tables or lists in one another") from exc


def line_of(text: str, place: tuple[str | int, ...]) -> int | None:
    """The line where a value ends: the shortest beginning of the text that has it. ``place`` are names and numbers."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                document = parse_toml("\n".join(lines[:number]))
            except ValueError:
                continue  # inside a value
            if has(document, place):
                return number
    return None


def has(document: Any, place: tuple[str | int, ...]) -> bool:
    """Whether a document has something at that place."""
    for step in place:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return False
        elif not isinstance(document, Mapping) or step not in document:
            return False
        document = document[step]
    return True
