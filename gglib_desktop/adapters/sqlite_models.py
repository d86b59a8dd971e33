"""The library in an SQLite file."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gglib_desktop.domain.errors import ConfigurationError, LibraryError
from gglib_desktop.domain.gguf import ModelFacts
from gglib_desktop.domain.launch import LaunchOptions
from gglib_desktop.domain.model import Model

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
)


class SqliteModelRepository:
    """Keeps models in one file. All access runs on one thread of its own, because connections are bound to theirs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._connection: sqlite3.Connection | None = None

    async def aclose(self) -> None:
        """Waits for writes under way and closes the file."""
        await self._run(self._close)
        self._thread.shutdown()

    async def models(self) -> Sequence[Model]:
        rows = await self._execute("SELECT id, path, facts, problem, added_at FROM models ORDER BY id")
        return [_model(row) for row in rows]

    async def add(self, path: Path, facts: ModelFacts | None, problem: str | None) -> Model:
        rows = await self._execute(
            "INSERT INTO models (path, facts, problem, added_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET facts = excluded.facts, problem = excluded.problem"
            " RETURNING id, path, facts, problem, added_at",
            (_stored(path), None if facts is None else json.dumps(dataclasses.asdict(facts)), problem, time.time()),
        )
        return _model(rows[0])

    async def remove(self, model_id: int) -> None:
        await self._execute("DELETE FROM models WHERE id = ?", (model_id,))

    async def launch_options(self, model_id: int) -> LaunchOptions:
        rows = await self._execute("SELECT launch_options FROM models WHERE id = ?", (model_id,))
        if not rows or rows[0][0] is None:
            return LaunchOptions()
        try:
            return LaunchOptions.from_json(str(rows[0][0]))
        except ConfigurationError as exc:
            # Another version's, most likely. A model that could not be started for that would be lost to its user.
            _log.warning("passed over the saved launch settings of model %s: %s", model_id, exc)
            return LaunchOptions()

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        await self._execute("UPDATE models SET launch_options = ? WHERE id = ?", (options.to_json(), model_id))

    async def _execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        def work() -> list[tuple[object, ...]]:
            with self._open() as connection:
                return connection.execute(statement, values).fetchall()

        return await self._run(work)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as exc:
            raise LibraryError(f"the library {self._path} cannot be used: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=5)
            try:
                # First of all, so that a newer version's file stays as it is.
                _migrate(connection, self._path)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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


def _model(row: tuple[object, ...]) -> Model:
    model_id, path, facts, problem, added_at = row
    return Model(
        id=int(str(model_id)),
        path=Path(os.fsdecode(path)) if isinstance(path, bytes) else Path(str(path)),
        facts=None if facts is None else _facts(str(facts)),
        problem=None if problem is None else str(problem),
        added_at=float(str(added_at)),
    )


def _facts(text: str) -> ModelFacts | None:
    """Facts as stored; None when another version stored other fields: the next look at the file mends that."""
    try:
        return ModelFacts(**json.loads(text))
    except (TypeError, ValueError):
        return None
