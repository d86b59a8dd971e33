"""A SQLite file of this program: its format, its thread, and what becomes of it when it is damaged."""

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
from gglib_desktop.domain.errors import LibraryError

_log = logging.getLogger(__name__)
T = TypeVar("T")

_BEYOND_REPAIR = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


class SqliteFile:
    """One SQLite file. All access runs on one thread of its own, because connections are bound to theirs.

    A file that is not a database, or is beyond repair, is set aside, and a new one takes its place; ``use`` says so.
    ``migrations`` has one entry per version of the file; those that a file lacks are run in one transaction. ``name``
    is what the file is, ``error`` is raised when it cannot be used, and what ``set_aside`` makes of its path, the new
    path and the reason.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        name: str,
        *,
        error: type[LibraryError],
        set_aside: Callable[[Path, Path, str], LibraryError],
        kept_before: int = 0,
    ) -> None:
        """A file of a version before ``kept_before`` is copied before it is brought up to date."""
        self._path = path
        self._migrations = migrations
        self._name = name
        self._error = error
        self._set_aside_error = set_aside
        self._kept_before = kept_before
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None
        self._set_aside: LibraryError | None = None
        self._times_set_aside = 0

    async def aclose(self) -> None:
        """Waits for pending writes and closes the file."""
        await self._run(self._close)
        self._thread.shutdown()

    async def use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` makes of the file, which it may find to be damaged.

        Raises: what ``set_aside`` makes, once, if a new file took the place of an unreadable one; ``error``.
        """

        def using() -> T:
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

        return await self._run(using)

    async def execute(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows that a statement gives. Raises: ``error``."""
        return await self.transact(lambda connection: connection.execute(statement, values).fetchall())

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``work`` in one transaction. Raises: ``error``."""

        def transaction() -> T:
            with self._open() as connection:
                return work(connection)

        return await self._run(transaction)

    def _begin_anew(self, connection: sqlite3.Connection, times: int) -> None:
        """What is written first into a file that takes the place of the last of ``times`` unreadable ones."""

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError, UnicodeEncodeError) as exc:
            raise self._error(f"the {self._name} {self._path} cannot be used: {exc}") from exc

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            private.make_folder(self._path.parent)
            try:
                self._connection = self._connect()
            except sqlite3.DatabaseError as exc:
                self._put_aside(exc)
                self._connection = self._connect()
            if self._set_aside is not None:
                with self._connection as connection:
                    self._begin_anew(connection, self._times_set_aside)
        return self._connection

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        """Keeps an unreadable file under another name. Raises every other error again."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BEYOND_REPAIR:
            raise error
        for number in itertools.count(1):
            kept = self._path.with_name(f"{self._path.name}.unreadable{f'-{number}' if number > 1 else ''}")
            if not kept.exists():
                break
        self._times_set_aside = number
        self._path.rename(kept)
        for ending in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self._path}{ending}", f"{kept}{ending}")
        self._set_aside = self._set_aside_error(self._path, kept, str(error))
        _log.warning("%s", self._set_aside)

    def _tell_set_aside(self) -> None:
        news, self._set_aside = self._set_aside, None
        if news is not None:
            raise news

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        # Its -wal and -shm get the permissions of the file.
        private.make_file(self._path)
        with contextlib.ExitStack() as undo:
            connection = undo.enter_context(contextlib.closing(sqlite3.connect(self._path, timeout=5)))
            # First, so that a newer version's file stays as it is.
            self._migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.row_factory = sqlite3.Row
            undo.pop_all()
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self._migrations):
            newer = f"was written by a newer version of this program (format {version})"
            raise self._error(f"the {self._name} {self._path} {newer}")
        if version == len(self._migrations):
            return
        if 0 < version < self._kept_before:
            self._copy(connection, version)
        scripts = " ".join(self._migrations[version:])
        connection.executescript(f"BEGIN IMMEDIATE; {scripts} PRAGMA user_version = {len(self._migrations)}; COMMIT;")

    def _copy(self, connection: sqlite3.Connection, version: int) -> None:
        """Whole or not at all, under a name that tells the version."""
        kept = self._path.with_name(f"{self._path.name}.format-{version}")
        draft = kept.with_name(f"{kept.name}.tmp")
        draft.unlink(missing_ok=True)
        private.make_file(draft)
        with contextlib.closing(sqlite3.connect(draft)) as copy:
            connection.backup(copy)
        os.replace(draft, kept)
        _log.info("kept the %s as it was as %s", self._name, kept)
