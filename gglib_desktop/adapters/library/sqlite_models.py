"""The library in an SQLite file."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import ConfigurationError, LibraryError, LibrarySetAside
from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver

_log = logging.getLogger(__name__)
T = TypeVar("T")

# One entry per version of the file, each run in one transaction. Append; never change an entry that was released.
MIGRATIONS = (
    """
    CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: server records name models by it
        path TEXT NOT NULL UNIQUE,
        facts TEXT,
        problem TEXT,
        added_at REAL NOT NULL,
        launch_options TEXT
    );
    """,
    """
    ALTER TABLE models ADD COLUMN size_bytes INTEGER;
    ALTER TABLE models ADD COLUMN mtime_ns INTEGER;
    ALTER TABLE models ADD COLUMN header_hash TEXT;
    ALTER TABLE models ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE models ADD COLUMN parts TEXT;  -- JSON: the paths of a model in several files
    ALTER TABLE models ADD COLUMN label TEXT;
    ALTER TABLE models ADD COLUMN last_used REAL;
    CREATE TABLE folders (
        path TEXT PRIMARY KEY,
        added_at REAL NOT NULL
    );
    CREATE TABLE passed_over (  -- files that are not listed: companions of models, and what the user took off
        path TEXT PRIMARY KEY,
        removed INTEGER NOT NULL,
        size_bytes INTEGER,
        mtime_ns INTEGER,
        label TEXT
    );
    """,
    """
    ALTER TABLE models ADD COLUMN tags TEXT;  -- JSON: a list of texts
    ALTER TABLE models ADD COLUMN notes TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE presets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        model_id INTEGER,  -- NULL: for all models
        options TEXT NOT NULL
    );
    CREATE UNIQUE INDEX preset_names ON presets (name, ifnull(model_id, 0));
    ALTER TABLE models ADD COLUMN last_preset INTEGER;
    CREATE TRIGGER presets_go_with_their_model AFTER DELETE ON models BEGIN
        DELETE FROM presets WHERE model_id = OLD.id;
    END;
    """,
    """
    ALTER TABLE passed_over ADD COLUMN tags TEXT;  -- the user's words about a model that was taken off the list
    ALTER TABLE passed_over ADD COLUMN notes TEXT NOT NULL DEFAULT '';
    """,
    # What is no model of its own was not told apart before: the next scan reads every file once. Its path stays known,
    # by which one of several links to a file is chosen.
    "UPDATE models SET mtime_ns = -1 WHERE mtime_ns IS NOT NULL;",
    """
    ALTER TABLE models ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;  -- taken off the list, and can be brought back
    """,
    "CREATE TABLE paused_folders (path TEXT PRIMARY KEY);",
)
_INSERT = """
    INSERT INTO models (path, facts, problem, size_bytes, mtime_ns, header_hash, missing, parts, label, added_at)
    VALUES (:path, :facts, :problem, :size_bytes, :mtime_ns, :header_hash, :missing, :parts, :label, :added_at)
    ON CONFLICT (path) DO UPDATE SET facts = excluded.facts, problem = excluded.problem,
    size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, header_hash = excluded.header_hash,
    missing = excluded.missing, parts = excluded.parts, label = excluded.label, removed = 0
    RETURNING *
"""
# Of two scans one may take for new what the other finds to be a model that moved. What is new nobody has used.
_DROP_TWIN = """
    DELETE FROM models WHERE path = :path AND id != :id AND EXISTS (SELECT 1 FROM models WHERE id = :id)
    AND (removed OR launch_options IS NULL AND last_used IS NULL AND tags IS NULL AND notes = '')
"""
_UPDATE = """
    UPDATE OR IGNORE models SET path = :path, facts = :facts, problem = :problem, size_bytes = :size_bytes,
    mtime_ns = :mtime_ns, header_hash = :header_hash, missing = :missing, parts = :parts, label = :label
    WHERE id = :id AND NOT removed RETURNING *
"""
_NOT_LISTED = "INSERT OR REPLACE INTO passed_over (path, removed, size_bytes, mtime_ns, label) VALUES (?, ?, ?, ?, ?)"
_RESUME = "DELETE FROM paused_folders WHERE path = ?"
_BEYOND_REPAIR = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_IDS_OF_A_LIBRARY = 1_000_000
_TAKEN_OFF = "INSERT OR REPLACE INTO passed_over (path, removed) VALUES (?, TRUE)"


class SqliteModelRepository:
    """Keeps models in one file. All access runs on one thread of its own, because connections are bound to theirs.

    A file that is no database, or one beyond repair, is set aside, and a new one takes its place. ``models`` tells.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._connection: sqlite3.Connection | None = None
        self._set_aside: LibrarySetAside | None = None
        self._last_id = 0

    async def aclose(self) -> None:
        """Waits for writes under way and closes the file."""
        await self._run(self._close)
        self._thread.shutdown()

    async def models(self) -> Sequence[Model]:
        def work() -> list[Model]:
            connection = self._open()
            self._tell_set_aside()
            try:
                return [_model(row) for row in connection.execute("SELECT * FROM models WHERE NOT removed ORDER BY id")]
            except sqlite3.DatabaseError as exc:
                self._close()
                self._put_aside(exc)
                self._open()
                self._tell_set_aside()
                raise

        return await self._run(work)

    async def save(
        self, entries: Sequence[tuple[int | None, ModelFile]], passed_over: Sequence[PassedOver] = ()
    ) -> Sequence[Model]:
        def work() -> list[Model]:
            with self._open() as connection:
                connection.executemany(_NOT_LISTED, map(_passed_over_values, passed_over))
                return [model for entry in entries for model in _save(connection, *entry)]

        return await self._run(work)

    async def remove(self, model_id: int) -> None:
        def work() -> None:
            with self._open() as connection:
                gone = "UPDATE models SET removed = 1 WHERE id = ? RETURNING path"
                rows = connection.execute(gone, (model_id,)).fetchall()
                connection.executemany(_TAKEN_OFF, rows)

        await self._run(work)

    async def bring_back(self, path: Path) -> Model | None:
        def work() -> Model | None:
            with self._open() as connection:
                back = "UPDATE models SET removed = 0 WHERE path = ? RETURNING *"
                rows = connection.execute(back, (_stored(path),)).fetchall()
                if rows:
                    connection.execute("DELETE FROM passed_over WHERE path = ?", (_stored(path),))
                return _model(rows[0]) if rows else None

        return await self._run(work)

    async def removed(self) -> Sequence[Model]:
        return [_model(row) for row in await self.execute("SELECT * FROM models WHERE removed ORDER BY id")]

    async def passed_over(self) -> Sequence[PassedOver]:
        rows = await self.execute("SELECT * FROM passed_over ORDER BY path")
        return [
            PassedOver(_path(row["path"]), bool(row["removed"]), row["size_bytes"], row["mtime_ns"], row["label"])
            for row in rows
        ]

    async def folders(self) -> Sequence[Path]:
        return [_path(path) for (path,) in await self.execute("SELECT path FROM folders ORDER BY added_at, path")]

    async def add_folder(self, path: Path) -> None:
        await self.execute("INSERT OR IGNORE INTO folders (path, added_at) VALUES (?, ?)", (_stored(path), time.time()))

    async def remove_folder(self, path: Path) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for forget in ("DELETE FROM folders WHERE path = ?", _RESUME):
                connection.execute(forget, (_stored(path),))

        await self.transact(work)

    async def paused_folders(self) -> Sequence[Path]:
        return [_path(path) for (path,) in await self.execute("SELECT path FROM paused_folders ORDER BY path")]

    async def pause_folder(self, path: Path, paused: bool) -> None:
        statement = "INSERT OR IGNORE INTO paused_folders VALUES (?)" if paused else _RESUME
        await self.execute(statement, (_stored(path),))

    async def note_used(self, model_id: int, when: float) -> None:
        await self.execute("UPDATE models SET last_used = ? WHERE id = ?", (when, model_id))

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        values = (json.dumps(list(tags)), notes, model_id)
        if not await self.execute(
            "UPDATE models SET tags = ?, notes = ? WHERE id = ? AND NOT removed RETURNING id", values
        ):
            raise LibraryError("the model is not in the library any more")

    async def launch_options(self, model_id: int) -> LaunchOptions:
        rows = await self.execute("SELECT launch_options FROM models WHERE id = ? AND NOT removed", (model_id,))
        if not rows or rows[0][0] is None:
            return LaunchOptions()
        try:
            return LaunchOptions.from_json(rows[0][0])
        except ConfigurationError as exc:
            # Another version's, most likely. A model that could not be started for that would be lost to its user.
            _log.warning("passed over the saved launch settings of model %s: %s", model_id, exc)
            return LaunchOptions()

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        statement = "UPDATE models SET launch_options = ? WHERE id = ? AND NOT removed"
        await self.execute(statement, (options.to_json(), model_id))

    async def execute(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a statement gives. Raises: LibraryError."""
        return await self.transact(lambda connection: connection.execute(statement, values).fetchall())

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` does with the file is kept as a whole or not at all. Raises: LibraryError."""

        def transaction() -> T:
            with self._open() as connection:
                return work(connection)

        return await self._run(transaction)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError, UnicodeEncodeError) as exc:
            raise LibraryError(f"the library {self._path} cannot be used: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            private.make_folder(self._path.parent)
            try:
                self._connection = _connect(self._path)
            except sqlite3.DatabaseError as exc:
                self._put_aside(exc)
                self._connection = _connect(self._path)
            if self._set_aside is not None:
                # Records of servers that run name models of the old one by their ids.
                with self._connection as connection:
                    connection.execute("INSERT INTO sqlite_sequence VALUES ('models', ?)", (self._last_id,))
        return self._connection

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        """Keeps a file that will never be read again under another name. Raises every other error again."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BEYOND_REPAIR:
            raise error
        for number in itertools.count(1):
            kept = self._path.with_name(f"{self._path.name}.unreadable{f'-{number}' if number > 1 else ''}")
            if not kept.exists():
                break
        self._last_id = number * _IDS_OF_A_LIBRARY
        self._path.rename(kept)
        for ending in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self._path}{ending}", f"{kept}{ending}")
        self._set_aside = LibrarySetAside(self._path, kept, str(error))
        _log.warning("%s", self._set_aside)

    def _tell_set_aside(self) -> None:
        news, self._set_aside = self._set_aside, None
        if news is not None:
            raise news

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    # Its -wal and -shm are given the permissions of the file.
    private.make_file(path)
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(contextlib.closing(sqlite3.connect(path, timeout=5)))
        # First of all, so that a newer version's file stays as it is.
        _migrate(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.row_factory = sqlite3.Row
        undo.pop_all()
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise LibraryError(f"the library {path} was written by a newer version of this program (format {version})")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")


def _stored(path: Path) -> str | bytes:
    """A path as text, or as bytes where a file's name is no text."""
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError:
        return os.fsencode(path)


def _save(connection: sqlite3.Connection, model_id: int | None, file: ModelFile) -> list[Model]:
    path = _stored(file.path)
    values = {
        "id": model_id,
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
    gone = connection.execute("DELETE FROM passed_over WHERE path = ? RETURNING tags, notes", (path,)).fetchall()
    if model_id is not None:
        connection.execute(_DROP_TWIN, values)
    rows = connection.execute(_INSERT if model_id is None else _UPDATE, values).fetchall()
    if model_id is None and gone and any(gone[0]):
        restore = "UPDATE models SET tags = ?, notes = ? WHERE path = ? RETURNING *"
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
    )


def _facts(text: str | None) -> ModelFacts | None:
    """Facts as stored; None when another version stored other fields: the next look at the file mends that."""
    try:
        return None if text is None else ModelFacts(**json.loads(text))
    except (TypeError, ValueError):
        return None
