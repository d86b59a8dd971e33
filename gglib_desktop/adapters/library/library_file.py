"""The SQLite file that holds the library: models, what was chosen for them, and presets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import LibraryError, LibrarySetAside

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
    # Files that are not models themselves were not recognized before: the next scan reads every file once. Their paths
    # stay known, because they decide which of several links to a file is listed.
    "UPDATE models SET mtime_ns = -1 WHERE mtime_ns IS NOT NULL;",
    """
    ALTER TABLE models ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;  -- taken off the list, and can be brought back
    """,
    "CREATE TABLE paused_folders (path TEXT PRIMARY KEY);",
)
_BEYOND_REPAIR = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_IDS_OF_A_LIBRARY = 1_000_000


class LibraryFile:
    """One SQLite file. All access runs on one thread of its own, because connections are bound to theirs.

    A file that is not a database, or is beyond repair, is set aside, and a new one takes its place; ``read`` says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._connection: sqlite3.Connection | None = None
        self._set_aside: LibrarySetAside | None = None
        self._last_id = 0

    async def aclose(self) -> None:
        """Waits for pending writes and closes the file."""
        await self._run(self._close)
        self._thread.shutdown()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` reads in the file.

        Raises: LibrarySetAside, once, if a new file took the place of an unreadable one; LibraryError.
        """

        def reading() -> T:
            connection = self._open()
            self._tell_set_aside()
            try:
                return work(connection)
            except sqlite3.DatabaseError as exc:
                self._close()
                self._put_aside(exc)
                self._open()
                self._tell_set_aside()
                raise

        return await self._run(reading)

    async def execute(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a statement gives. Raises: LibraryError."""
        return await self.transact(lambda connection: connection.execute(statement, values).fetchall())

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``work`` in one transaction. Raises: LibraryError."""

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
                # Records of running servers name models of the old library by their ids.
                with self._connection as connection:
                    connection.execute("INSERT INTO sqlite_sequence VALUES ('models', ?)", (self._last_id,))
        return self._connection

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        """Keeps an unreadable file under another name. Raises every other error again."""
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
    # Its -wal and -shm get the permissions of the file.
    private.make_file(path)
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(contextlib.closing(sqlite3.connect(path, timeout=5)))
        # First, so that a newer version's file stays as it is.
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
