"""The settings in a TOML file that people can edit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gglib_desktop.domain.errors import ConfigurationError, SettingsError
from gglib_desktop.domain.settings import AppSettings

_HEADER = "# Settings of GGLib Desktop. Keys that are absent have their defaults; comments stay when the program saves."


class TomlSettingsStore:
    """Reads and writes one file; what a person wrote in it stays, apart from the values that the program changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> AppSettings:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return AppSettings()
        except (OSError, UnicodeDecodeError) as exc:
            raise SettingsError(f"{self._path}: cannot be read: {exc}") from exc
        import tomllib  # noqa: PLC0415  # 25 ms, for nothing while there is no file

        try:
            return AppSettings.from_mapping(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ConfigurationError) as exc:
            raise SettingsError(f"{self._path}: {exc}") from exc

    def save(self, settings: AppSettings) -> None:
        import tomlkit  # noqa: PLC0415  # 40 ms that most sessions never need
        from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

        try:
            text = self._path.read_text(encoding="utf-8") if self._path.exists() else _HEADER + "\n\n"
            document = tomlkit.parse(text)
            _put(document, settings.to_mapping())
            draft = self._path.with_suffix(".tmp")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(tomlkit.dumps(document), encoding="utf-8")
            os.replace(draft, self._path)
        except TOMLKitError as exc:
            raise SettingsError(f"{self._path}: not saved, because the file has an error: {exc}") from exc
        except (OSError, UnicodeDecodeError) as exc:
            raise SettingsError(f"{self._path}: cannot be written: {exc}") from exc


def _put(table: Any, values: Mapping[str, Any]) -> None:
    """Makes a table say ``values``; what is None there, or empty, is left out, and keys we do not know stay."""
    for name, value in values.items():
        if isinstance(value, dict):
            _put_table(table, name, value)
        elif value is None or value == []:
            table.pop(name, None)
        elif table.get(name) != value:
            table[name] = value


def _put_table(parent: Any, name: str, values: Mapping[str, Any]) -> None:
    import tomlkit  # noqa: PLC0415  # see save

    new = parent.get(name, None)
    if new is None:
        new = tomlkit.table()
    _put(new, values)
    if new:
        parent[name] = new
    else:
        parent.pop(name, None)
