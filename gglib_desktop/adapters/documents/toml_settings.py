"""The settings in a TOML file that people can edit."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gglib_desktop.adapters.documents.toml_text import TomlError, has, line_of, parse_toml, read_toml
from gglib_desktop.adapters.files import private
from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.documents.settings_document import (
    Key,
    SettingsReading,
    differences,
    documented_settings,
    put,
    read_settings,
    value_text,
)
from gglib_desktop.domain.errors import InvalidSettings, SettingProblem, SettingsEffect, SettingsError

_TRIES = 5


class TomlSettingsStore:
    """Reads and writes one file. Only values that the program changed are rewritten; the user's text stays."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        return self._path

    def load(self) -> SettingsReading:
        try:
            content = self._content()
        except OSError as exc:
            return _unusable(f"cannot be read: {exc.strerror}")
        return SettingsReading(AppSettings()) if content is None else _read(content)

    def save(self, before: AppSettings, after: AppSettings) -> SettingsReading:
        changes = differences(before, after)
        for _try in range(_TRIES):
            now = self.load()
            if now.problems:
                raise InvalidSettings(self._path, now.problems, SettingsEffect.NOT_SAVED)
            text = documented_settings() if now.content is None else now.content.decode("utf-8-sig")
            content = self._with_changes(text, {**now.moved, **changes})
            if content == now.content or self._replace(now.content, content):
                return _read(content)
        raise SettingsError(f"{self._path}: not saved: the file is being changed all the time")

    def create(self) -> None:
        if not os.path.exists(self._path):
            self._replace(None, documented_settings().encode())

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _with_changes(self, text: str, changes: Mapping[Key, Any]) -> bytes:
        from tomlkit.exceptions import TOMLKitError

        wanted = parse_toml(text)
        try:
            for key, value in changes.items():
                put(wanted, key, value)
                text = _put(text, key, value)
            if _without_empty(parse_toml(text)) == _without_empty(wanted):
                return text.encode()
        except (TOMLKitError, ValueError, AttributeError, TypeError) as exc:
            # What tomlkit or the encoding cannot do.
            raise SettingsError(f"{self._path}: not saved: {exc}") from exc
        raise SettingsError(f"{self._path}: not saved: the values could not be written without changing others")

    def _replace(self, expected: bytes | None, content: bytes) -> bool:
        """Replaces the file if it still is as ``expected``. Whether it did."""
        target = Path(os.path.realpath(self._path))
        draft = target.with_name(target.name + ".tmp")
        try:
            private.make_folder(target.parent)
            draft.unlink(missing_ok=True)
            with open(draft, "xb", opener=private.opener) as file:  # Path's has no opener
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if self._content() != expected:
                return False
            if expected is not None:
                shutil.copymode(target, draft)
            os.replace(draft, target)
            return True
        except OSError as exc:
            raise SettingsError(f"{self._path}: cannot be written: {exc}") from exc
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()


# -- reading


def _read(content: bytes) -> SettingsReading:
    return replace(_read_text(content), content=content)


def _read_text(content: bytes) -> SettingsReading:
    try:
        text, document = read_toml(content)
    except TomlError as exc:
        return SettingsReading(AppSettings(), (exc.problem,))
    return read_settings(document, lambda key: line_of(text, key))


def _unusable(reason: str) -> SettingsReading:
    return SettingsReading(AppSettings(), (SettingProblem("", reason),))


# -- writing


def _put(text: str, key: Key, value: Any) -> str:
    """The text with another value. A new key goes below the comment that stands for it."""
    import tomlkit
    from tomlkit.items import InlineTable

    if not has(parse_toml(text), key):
        placed = text if value is None else _put_below_comment(text, key, value)
        if placed is not None:
            return placed
    document = tomlkit.parse(text)
    table: Any = document
    for depth, name in enumerate(key[:-1], 2):
        if name not in table:
            # Only the last one has values, and so a line of its own.
            outer = depth < len(key)
            table[name] = tomlkit.inline_table() if isinstance(table, InlineTable) else tomlkit.table(outer)
        table = table[name]
    if value is None:
        table.pop(key[-1], None)
    else:
        table[key[-1]] = value
    return tomlkit.dumps(document)


def _put_below_comment(text: str, key: Key, value: Any) -> str | None:
    lines = text.splitlines(keepends=True)
    comment = re.compile(rf"#\s*{re.escape(key[-1])}\s*=")
    table, header = ".".join(key[:-1]), ""
    for number, line in enumerate(lines):
        if line.startswith("["):
            header = line.strip().strip("[]")
        elif header == table and comment.match(line) and line.endswith("\n"):
            end = "\r\n" if line.endswith("\r\n") else "\n"
            placed = "".join([*lines[: number + 1], f"{key[-1]} = {value_text(value)}{end}", *lines[number + 1 :]])
            return placed if _is_only_addition(text, placed, key, value) else None
    return None


def _is_only_addition(text: str, placed: str, key: Key, value: Any) -> bool:
    """Whether a line that looks like a comment is inside a text of several lines."""
    wanted = copy.deepcopy(parse_toml(text))
    put(wanted, key, value)
    try:
        return parse_toml(placed) == wanted
    except ValueError:
        return False


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: _without_empty(value) if isinstance(value, Mapping) else value for name, value in table.items()}
    return {name: value for name, value in plain.items() if value != {}}
