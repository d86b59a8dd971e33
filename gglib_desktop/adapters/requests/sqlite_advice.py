"""What was measured of drafting, in a SQLite file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from gglib_desktop.adapters.files.sqlite_file import SqliteFile
from gglib_desktop.domain.advisor.advice import Advice, Conditions
from gglib_desktop.domain.advisor.samples import Sample
from gglib_desktop.domain.errors import ConfigurationError, LibraryError, LibrarySetAside

# One entry per version of the file, each run in one transaction. Append; never change an entry that was released.
MIGRATIONS = (
    """
    CREATE TABLE advice (
        conditions TEXT NOT NULL PRIMARY KEY,  -- JSON, as is the next one
        advice TEXT NOT NULL,
        measured_at REAL NOT NULL
    );
    CREATE TABLE samples (
        number INTEGER PRIMARY KEY,
        conditions TEXT NOT NULL,
        sample TEXT NOT NULL,
        measured_at REAL NOT NULL
    );
    """,
)
_KEEP = "INSERT OR REPLACE INTO advice VALUES (?, ?, ?)"
_ALL = "SELECT advice FROM advice ORDER BY measured_at DESC"
_FORGET = "DELETE FROM advice WHERE conditions = ?"
_ADD_SAMPLE = "INSERT INTO samples VALUES (NULL, ?, ?, ?)"
_SAMPLES = "SELECT sample FROM samples WHERE conditions = ? AND measured_at > ? ORDER BY number"
_CLEAR = "DELETE FROM samples WHERE conditions = ?"


class SqliteAdviceStore:
    """An ``AdviceStore``. Entries of other versions that cannot be read are passed over."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, MIGRATIONS, "measurements", error=LibraryError, set_aside=LibrarySetAside)

    async def aclose(self) -> None:
        """Waits for pending writes and closes the file."""
        await self._file.aclose()

    async def all(self) -> Sequence[Advice]:
        found = []
        for row in await self._file.execute(_ALL):
            with contextlib.suppress(ConfigurationError):
                found.append(Advice.from_json(row["advice"]))
        return found

    async def keep(self, advice: Advice) -> None:
        await self._file.execute(_KEEP, (advice.conditions.to_json(), advice.to_json(), advice.measured_at))

    async def forget(self, conditions: Conditions) -> None:
        await self._file.execute(_FORGET, (conditions.to_json(),))

    async def add_sample(self, conditions: Conditions, sample: Sample) -> None:
        await self._file.execute(_ADD_SAMPLE, (conditions.to_json(), sample.to_json(), time.time()))

    async def samples(self, conditions: Conditions, *, since: float) -> Sequence[Sample]:
        found = []
        for row in await self._file.execute(_SAMPLES, (conditions.to_json(), since)):
            with contextlib.suppress(ConfigurationError):
                found.append(Sample.from_json(row["sample"]))
        return found

    async def clear_samples(self, conditions: Conditions) -> None:
        await self._file.execute(_CLEAR, (conditions.to_json(),))
