"""The SQLite file that holds the library: models, what was chosen for them, and presets."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.files.sqlite_file import SqliteFile
from gglib_desktop.domain.errors import LibraryError, LibrarySetAside

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
    # Models belong to a place: the same path at two places is two models. SQLite cannot change what is UNIQUE.
    """
    CREATE TABLE placed_models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        place TEXT NOT NULL DEFAULT 'local',
        path TEXT NOT NULL,
        facts TEXT,
        problem TEXT,
        added_at REAL NOT NULL,
        launch_options TEXT,
        size_bytes INTEGER,
        mtime_ns INTEGER,
        header_hash TEXT,
        missing INTEGER NOT NULL DEFAULT 0,
        parts TEXT,
        label TEXT,
        last_used REAL,
        tags TEXT,
        notes TEXT NOT NULL DEFAULT '',
        last_preset INTEGER,
        removed INTEGER NOT NULL DEFAULT 0,
        UNIQUE (place, path)
    );
    INSERT INTO placed_models (id, path, facts, problem, added_at, launch_options, size_bytes, mtime_ns, header_hash,
        missing, parts, label, last_used, tags, notes, last_preset, removed)
    SELECT id, path, facts, problem, added_at, launch_options, size_bytes, mtime_ns, header_hash,
        missing, parts, label, last_used, tags, notes, last_preset, removed FROM models;
    DELETE FROM sqlite_sequence WHERE name = 'placed_models';
    INSERT INTO sqlite_sequence SELECT 'placed_models', seq FROM sqlite_sequence WHERE name = 'models';
    DROP TABLE models;
    ALTER TABLE placed_models RENAME TO models;
    CREATE TRIGGER presets_go_with_their_model AFTER DELETE ON models BEGIN
        DELETE FROM presets WHERE model_id = OLD.id;
    END;
    """,
)
# The first format whose models have a place. Files of earlier ones are kept beside it, because it changes all models.
_PLACED = 9
_IDS_OF_A_LIBRARY = 1_000_000


class LibraryFile(SqliteFile):
    """The library. A new one in place of an unreadable one gives its models other ids."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, MIGRATIONS, "library", error=LibraryError, set_aside=LibrarySetAside, kept_before=_PLACED
        )

    @override
    def _begin_anew(self, connection: sqlite3.Connection, times: int) -> None:
        # Records of running servers name models of the old library by their ids.
        connection.execute("INSERT INTO sqlite_sequence VALUES ('models', ?)", (times * _IDS_OF_A_LIBRARY,))
