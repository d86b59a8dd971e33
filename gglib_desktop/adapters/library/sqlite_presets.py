"""Presets in the library's SQLite file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import Preset

_log = logging.getLogger(__name__)


class SqlitePresetStore:
    """Keeps presets beside the models, in the same file."""

    def __init__(self, file: LibraryFile) -> None:
        self._file = file

    async def presets(self, model_id: int | None) -> Sequence[Preset]:
        query = "SELECT id, name, model_id, options FROM presets WHERE model_id IS NULL OR model_id = ?"
        rows = await self._file.execute(query, (model_id,))
        return [preset for row in rows for preset in _preset(*row)]

    async def save(self, presets: Sequence[Preset]) -> Sequence[Preset]:
        return await self._file.transact(lambda connection: [_saved(connection, each) for each in presets])

    async def delete(self, preset_id: int) -> None:
        await self._file.execute("DELETE FROM presets WHERE id = ?", (preset_id,))

    async def last_used(self, model_id: int) -> int | None:
        rows = await self._file.execute("SELECT last_preset FROM models WHERE id = ?", (model_id,))
        return rows[0][0] if rows else None

    async def note_used(self, model_id: int, preset_id: int | None) -> None:
        await self._file.execute("UPDATE models SET last_preset = ? WHERE id = ?", (preset_id, model_id))


def _saved(connection: sqlite3.Connection, preset: Preset) -> Preset:
    values = (preset.name, preset.model_id, preset.options.to_json())
    if preset.id is None:
        inserted = connection.execute("INSERT INTO presets (name, model_id, options) VALUES (?, ?, ?)", values)
        return replace(preset, id=inserted.lastrowid)
    connection.execute("UPDATE presets SET name = ?, model_id = ?, options = ? WHERE id = ?", (*values, preset.id))
    return preset


def _preset(preset_id: int, name: str, model_id: int | None, options: str) -> list[Preset]:
    try:
        return [Preset(name, LaunchOptions.from_json(options), model_id, preset_id)]
    except ConfigurationError as exc:
        _log.warning("passed over the preset %s: %s", name, exc)
        return []
