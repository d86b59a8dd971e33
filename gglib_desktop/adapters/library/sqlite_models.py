"""The models in the library's file."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.domain.errors import ConfigurationError, LibraryError
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver
from gglib_desktop.domain.servers.server import OWN_PLACE

_log = logging.getLogger(__name__)

_INSERT = """
    INSERT INTO models (place, path, facts, problem, size_bytes, mtime_ns, header_hash, missing, parts, label, added_at)
    VALUES (:place, :path, :facts, :problem, :size_bytes, :mtime_ns, :header_hash, :missing, :parts, :label, :added_at)
    ON CONFLICT (place, path) DO UPDATE SET facts = excluded.facts, problem = excluded.problem,
    size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, header_hash = excluded.header_hash,
    missing = excluded.missing, parts = excluded.parts, label = excluded.label, removed = 0
    RETURNING *
"""
# With two scans, one may add a model that the other finds to have moved. The user has not used the new one yet.
_DROP_TWIN = """
    DELETE FROM models WHERE place = :place AND path = :path AND id != :id
    AND EXISTS (SELECT 1 FROM models WHERE id = :id)
    AND (removed OR launch_options IS NULL AND last_used IS NULL AND tags IS NULL AND notes = '')
"""
_UPDATE = """
    UPDATE OR IGNORE models SET path = :path, facts = :facts, problem = :problem, size_bytes = :size_bytes,
    mtime_ns = :mtime_ns, header_hash = :header_hash, missing = :missing, parts = :parts, label = :label
    WHERE id = :id AND NOT removed RETURNING *
"""
_NOT_LISTED = "INSERT OR REPLACE INTO passed_over (path, removed, size_bytes, mtime_ns, label) VALUES (?, ?, ?, ?, ?)"
_RESUME = "DELETE FROM paused_folders WHERE path = ?"
# Scans look at this computer only.
_TAKEN_OFF = "INSERT OR REPLACE INTO passed_over (path, removed) SELECT :path, TRUE WHERE :place = 'local'"


class SqliteModelRepository:
    """Keeps models in the library's file. ``models`` tells when the file had to be set aside."""

    def __init__(self, file: LibraryFile) -> None:
        self.file = file

    async def models(self) -> Sequence[Model]:
        listed = "SELECT * FROM models WHERE NOT removed ORDER BY id"
        return await self.file.use(lambda connection: [_model(row) for row in connection.execute(listed)])

    async def save(
        self,
        entries: Sequence[tuple[int | None, ModelFile]],
        passed_over: Sequence[PassedOver] = (),
        *,
        place: str = OWN_PLACE,
    ) -> Sequence[Model]:
        def work(connection: sqlite3.Connection) -> list[Model]:
            connection.executemany(_NOT_LISTED, map(_passed_over_values, passed_over))
            return [model for entry in entries for model in _save(connection, *entry, place)]

        return await self.file.transact(work)

    async def remove(self, model_id: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            gone = "UPDATE models SET removed = 1 WHERE id = ? RETURNING path, place"
            rows = connection.execute(gone, (model_id,)).fetchall()
            connection.executemany(_TAKEN_OFF, map(dict, rows))

        await self.file.transact(work)

    async def bring_back(self, path: Path) -> Model | None:
        def work(connection: sqlite3.Connection) -> Model | None:
            back = "UPDATE models SET removed = 0 WHERE place = 'local' AND path = ? RETURNING *"
            rows = connection.execute(back, (_stored(path),)).fetchall()
            if rows:
                connection.execute("DELETE FROM passed_over WHERE path = ?", (_stored(path),))
            return _model(rows[0]) if rows else None

        return await self.file.transact(work)

    async def removed(self) -> Sequence[Model]:
        return [_model(row) for row in await self.file.execute("SELECT * FROM models WHERE removed ORDER BY id")]

    async def passed_over(self) -> Sequence[PassedOver]:
        rows = await self.file.execute("SELECT * FROM passed_over ORDER BY path")
        return [
            PassedOver(_path(row["path"]), bool(row["removed"]), row["size_bytes"], row["mtime_ns"], row["label"])
            for row in rows
        ]

    async def folders(self) -> Sequence[Path]:
        return [_path(path) for (path,) in await self.file.execute("SELECT path FROM folders ORDER BY added_at, path")]

    async def add_folder(self, path: Path) -> None:
        await self.file.execute(
            "INSERT OR IGNORE INTO folders (path, added_at) VALUES (?, ?)", (_stored(path), time.time())
        )

    async def remove_folder(self, path: Path) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for forget in ("DELETE FROM folders WHERE path = ?", _RESUME):
                connection.execute(forget, (_stored(path),))

        await self.file.transact(work)

    async def paused_folders(self) -> Sequence[Path]:
        return [_path(path) for (path,) in await self.file.execute("SELECT path FROM paused_folders ORDER BY path")]

    async def pause_folder(self, path: Path, paused: bool) -> None:
        statement = "INSERT OR IGNORE INTO paused_folders VALUES (?)" if paused else _RESUME
        await self.file.execute(statement, (_stored(path),))

    async def note_used(self, model_id: int, when: float) -> None:
        await self.file.execute("UPDATE models SET last_used = ? WHERE id = ?", (when, model_id))

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        values = (json.dumps(list(tags)), notes, model_id)
        if not await self.file.execute(
            "UPDATE models SET tags = ?, notes = ? WHERE id = ? AND NOT removed RETURNING id", values
        ):
            raise LibraryError("the model is not in the library any more")

    async def launch_options(self, model_id: int) -> LaunchOptions:
        rows = await self.file.execute("SELECT launch_options FROM models WHERE id = ? AND NOT removed", (model_id,))
        if not rows or rows[0][0] is None:
            return LaunchOptions()
        try:
            return LaunchOptions.from_json(rows[0][0])
        except ConfigurationError as exc:
            # Most likely from another version. Otherwise the model could never be started again.
            _log.warning("passed over the saved launch settings of model %s: %s", model_id, exc)
            return LaunchOptions()

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        statement = "UPDATE models SET launch_options = ? WHERE id = ? AND NOT removed"
        await self.file.execute(statement, (options.to_json(), model_id))


def _stored(path: Path) -> str | bytes:
    """A path as text, or as bytes if a file's name is not text."""
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError:
        return os.fsencode(path)


def _save(connection: sqlite3.Connection, model_id: int | None, file: ModelFile, place: str) -> list[Model]:
    path = _stored(file.path)
    values = {
        "id": model_id,
        "place": place,
        "path": path,
        "facts": None if file.facts is None else json.dumps(dataclasses.asdict(file.facts)),
        "problem": file.problem,
        "added_at": time.time(),
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "header_hash": file.header_hash,
        "missing": file.missing,
        "parts": json.dumps([os.fspath(part) for part in file.parts]) if file.parts else None,
        "label": file.label,
    }
    forget = "DELETE FROM passed_over WHERE path = :path AND :place = 'local' RETURNING tags, notes"
    gone = connection.execute(forget, values).fetchall()
    if model_id is not None:
        connection.execute(_DROP_TWIN, values)
    rows = connection.execute(_INSERT if model_id is None else _UPDATE, values).fetchall()
    if model_id is None and gone and any(gone[0]):
        restore = "UPDATE models SET tags = ?, notes = ? WHERE place = 'local' AND path = ? RETURNING *"
        rows = connection.execute(restore, (*gone[0], path)).fetchall()
    return [_model(row) for row in rows]


def _passed_over_values(file: PassedOver) -> tuple[object, ...]:
    return _stored(file.path), file.removed, file.size_bytes, file.mtime_ns, file.label


def _path(stored: str | bytes) -> Path:
    return Path(os.fsdecode(stored))


def _model(row: sqlite3.Row) -> Model:
    return Model(
        id=row["id"],
        path=_path(row["path"]),
        facts=_facts(row["facts"]),
        problem=row["problem"],
        added_at=row["added_at"],
        size_bytes=row["size_bytes"],
        mtime_ns=row["mtime_ns"],
        header_hash=row["header_hash"],
        missing=bool(row["missing"]),
        parts=tuple(map(Path, json.loads(row["parts"] or "[]"))),
        label=row["label"],
        last_used=row["last_used"],
        tags=tuple(json.loads(row["tags"] or "[]")),
        notes=row["notes"],
        place=row["place"],
    )


def _facts(text: str | None) -> ModelFacts | None:
    """Facts as stored; None if another version stored other fields. The next scan of the file fixes that."""
    try:
        return None if text is None else ModelFacts(**json.loads(text))
    except (TypeError, ValueError):
        return None
