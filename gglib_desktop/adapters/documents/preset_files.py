"""Presets in TOML files that people can read, send and edit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.adapters.documents.toml_text import TomlError, line_of, read_toml
from gglib_desktop.adapters.files.whole_file import whole_file
from gglib_desktop.domain.documents.preset_file import FiledPreset, PresetReading, preset_text, read_presets
from gglib_desktop.domain.errors import PresetFileError, SettingProblem

_MOST_BYTES = 2**20


class TomlPresetFiles:
    """Reads and writes them."""

    def read(self, path: Path) -> PresetReading:
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as exc:
            raise _error(path, f"cannot be read: {exc.strerror}") from exc
        if len(content) > _MOST_BYTES:
            raise _error(path, "is too large for a file of presets")
        try:
            text, document = read_toml(content)
        except TomlError as exc:
            raise PresetFileError(path, (exc.problem,)) from exc
        return read_presets(document, lambda place: line_of(text, place))

    def write(self, path: Path, presets: Sequence[FiledPreset]) -> None:
        try:
            with whole_file(path) as file:
                file.write(preset_text(presets).encode())
        except OSError as exc:
            raise _error(path, f"cannot be written: {exc.strerror}") from exc
        except UnicodeEncodeError as exc:
            raise _error(path, "cannot be written: the name of a file in it is no text") from exc


def _error(path: Path, reason: str) -> PresetFileError:
    return PresetFileError(path, (SettingProblem("", reason),))
