"""The history of requests in a SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

from gglib_desktop.adapters.files.sqlite_file import SqliteFile
from gglib_desktop.domain.errors import HistoryError, HistorySetAside
from gglib_desktop.domain.traffic.audit import Told
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import KeptRequest, ReadSoFar, RequestHistory, RequestScope, RunNews

_Values: TypeAlias = tuple[object, ...]

# One entry per version of the file, each run in one transaction. Append; never change an entry that was released.
MIGRATIONS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL UNIQUE,
        model_id INTEGER NOT NULL,
        model TEXT NOT NULL,
        build TEXT NOT NULL,
        n_max INTEGER,
        p_min REAL,
        speed_key TEXT NOT NULL,
        offset INTEGER NOT NULL,  -- in the log, in bytes: what stands before it is in the table of requests
        state TEXT NOT NULL,  -- of the reader there
        over INTEGER NOT NULL,
        told TEXT NOT NULL,  -- JSON: what its requests add up to
        refused INTEGER NOT NULL DEFAULT 0,
        kept_at REAL NOT NULL
    );
    CREATE TABLE requests (  -- no index by run: sorting what it finds took longer than passing over all else
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: who asks for what is new says the last one
        run_id INTEGER NOT NULL,
        started REAL NOT NULL,
        "end" TEXT NOT NULL,
        task INTEGER,
        slot INTEGER,
        ttft_ms REAL,
        prompt_n INTEGER,
        cached_n INTEGER,
        prompt_ms REAL,
        gen_n INTEGER,
        gen_ms REAL,
        timed_n INTEGER,
        draft_n INTEGER,
        accepted_n INTEGER,
        busy_slots INTEGER NOT NULL
    );
    """,
)
_KEEP_RUN = """
    INSERT INTO runs (run, model_id, model, build, n_max, p_min, speed_key, offset, state, over, told, refused, kept_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run) DO UPDATE SET model_id = excluded.model_id, model = excluded.model, build = excluded.build,
    n_max = excluded.n_max, p_min = excluded.p_min, speed_key = excluded.speed_key, offset = excluded.offset,
    state = excluded.state, over = excluded.over, told = excluded.told, refused = refused + excluded.refused,
    kept_at = excluded.kept_at
    RETURNING id
"""
_KEEP_ROW = "INSERT INTO requests VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UNFINISHED = """
    SELECT run, model_id, model, build, n_max, p_min, speed_key, offset, state, over, told FROM runs
    WHERE NOT over ORDER BY id
"""
_RUNS = """
    SELECT id, refused, run, model_id, model, build, n_max, p_min, speed_key FROM runs
    WHERE (:run IS NULL OR run = :run) AND (:model_id IS NULL OR :run IS NOT NULL OR model_id = :model_id)
"""
_HISTORY = """
    SELECT * FROM requests
    WHERE number > ? AND number < ? AND run_id IN (SELECT value FROM json_each(?)) ORDER BY number DESC LIMIT ?
"""
_CLEAR = "DELETE FROM requests WHERE run_id IN (SELECT value FROM json_each(?))"
_CLEAR_REFUSED = "UPDATE runs SET refused = 0 WHERE id IN (SELECT value FROM json_each(?))"
_DROP_BEFORE = "DELETE FROM requests WHERE started < ?"
_DROP_BEYOND = """
    DELETE FROM requests WHERE number <= (SELECT number FROM requests ORDER BY number DESC LIMIT 1 OFFSET ?)
"""
_DROP_RUNS = "DELETE FROM runs WHERE over AND kept_at < ? AND id NOT IN (SELECT run_id FROM requests)"
_ALL, _HIGHEST = -1, 2**63 - 1
_ENDS = {end.value: end for end in RequestEnd}


class SqliteRequestStore:
    """Keeps the requests. The first method that finds the file unusable tells that it was set aside."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, MIGRATIONS, "history of requests", error=HistoryError, set_aside=HistorySetAside)

    async def aclose(self) -> None:
        """Waits for pending writes and closes the file."""
        await self._file.aclose()

    async def read_so_far(self, run: str) -> ReadSoFar | None:
        query = "SELECT offset, state, over, told FROM runs WHERE run = ?"
        found = await self._file.use(lambda connection: connection.execute(query, (run,)).fetchone())
        return None if found is None else _read_so_far(*found)

    async def unfinished(self) -> Sequence[tuple[RunFacts, ReadSoFar]]:
        found = await self._file.use(lambda connection: connection.execute(_UNFINISHED).fetchall())
        return [(RunFacts(*row[:-4]), _read_so_far(*row[-4:])) for row in found]

    async def keep(self, news: Sequence[RunNews]) -> None:
        now = time.time()

        def work(connection: sqlite3.Connection) -> None:
            with connection:
                for each in news:
                    ((run_id,),) = connection.execute(_KEEP_RUN, _run_values(each, now)).fetchall()
                    connection.executemany(_KEEP_ROW, ((run_id, *row) for row in each.rows))

        await self._file.use(work)

    async def history(
        self, scope: RequestScope, *, after: int = 0, before: int | None = None, most: int | None = None
    ) -> RequestHistory:
        return await self._file.use(lambda connection: _history(connection, scope, after, before, most))

    async def clear(self, scope: RequestScope) -> None:
        def work(connection: sqlite3.Connection) -> None:
            with connection:
                ids = _ids(_runs_in(connection, scope))
                for statement in (_CLEAR, _CLEAR_REFUSED):
                    connection.execute(statement, (ids,))

        await self._file.use(work)

    async def drop_old(self, *, most_rows: int, oldest: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(_DROP_BEFORE, (oldest,))
                connection.execute(_DROP_BEYOND, (most_rows,))
                connection.execute(_DROP_RUNS, (oldest,))

        await self._file.use(work)


def _history(
    connection: sqlite3.Connection, scope: RequestScope, after: int, before: int | None, most: int | None
) -> RequestHistory:
    runs = _runs_in(connection, scope)
    bounds = (after, _HIGHEST if before is None else before)
    cursor = connection.cursor()
    cursor.row_factory = None  # tuples: with names, each row would take twice as long
    rows = cursor.execute(_HISTORY, (*bounds, _ids(runs), _ALL if most is None else most))
    # By position, and made of whole tuples, which is half the time.
    kept = [KeptRequest(row[0], runs[row[1]][0], RequestRow._make((row[2], _ENDS[row[3]], *row[4:]))) for row in rows]
    return RequestHistory(kept, sum(refused for _run, refused in runs.values()))


def _runs_in(connection: sqlite3.Connection, scope: RequestScope) -> dict[int, tuple[RunFacts, int]]:
    """By their ids in the file, with how many of their requests were refused."""
    found = connection.execute(_RUNS, {"run": scope.run, "model_id": scope.model_id})
    return {row["id"]: (RunFacts(*row[2:]), row["refused"]) for row in found}


def _ids(runs: Iterable[int]) -> str:
    return json.dumps(list(runs))


def _run_values(news: RunNews, now: float) -> _Values:
    run, read = news.run, news.read
    facts = (run.run, run.model_id, run.model, run.build, run.n_max, run.p_min, run.speed_key)
    told = json.dumps(asdict(read.told))
    return (*facts, read.offset, read.state, read.over, told, news.refused, now)


def _read_so_far(offset: int, state: str, over: int, told: str) -> ReadSoFar:
    return ReadSoFar(offset, state, bool(over), Told(**json.loads(told)))
