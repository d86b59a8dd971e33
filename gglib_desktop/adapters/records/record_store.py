"""The files in which a runner keeps its records of servers."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.record import ServerRecord

_log = logging.getLogger(__name__)


class RecordStore:
    """One JSON file per running server, each written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: ServerRecord) -> None:
        """Raises: RunnerUnavailable if the record cannot be kept; a server without one must not run."""
        target = self._path(record.run)
        draft = target.with_suffix(".tmp")
        try:
            private.make_folder(self._folder)
            private.write_draft(draft, record.to_json().encode("ascii"))
            os.replace(draft, target)
        except OSError as exc:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise RunnerUnavailable(f"cannot write the record {target}: {exc.strerror}") from exc

    def rewrite(self, record: ServerRecord) -> None:
        """Like ``write``; if that fails, for example on a full disk, the earlier record still finds the server."""
        try:
            self.write(record)
        except RunnerUnavailable as exc:
            _log.warning("%s", exc)

    def delete(self, run: str) -> None:
        try:
            self._path(run).unlink(missing_ok=True)
        except OSError as exc:
            _log.warning("cannot remove the record %s: %s", self._path(run), exc.strerror)

    def set_aside(self, run: str) -> None:
        """Keeps the record for people, and does not read it any more."""
        path = self._path(run)
        try:
            path.rename(path.with_suffix(".unreadable"))
        except OSError as exc:
            _log.warning("cannot set aside the record %s: %s", path, exc.strerror)

    def run_of(self, pid: int, identity: str) -> str | None:
        """The run with a record of this process. Only reads, so it also works for the records of another program."""
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, UnicodeDecodeError, ConfigurationError):
                record = ServerRecord.from_json(path.read_text(encoding="utf-8"))
                if (record.pid, record.identity) == (pid, identity):
                    return path.stem
        return None

    def has(self, run: str) -> bool:
        return self._path(run).is_file()

    def records(self) -> Iterator[ServerRecord]:
        """All records. An unusable one is set aside, not deleted: it may be all that is known about a server.

        Not while records are written: drafts of a program that was killed while it wrote are removed.
        """
        for draft in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        yield from self._read()

    def of_place(self, place_id: str) -> Iterator[ServerRecord]:
        """Those of one place, also while records of others are written."""
        return (record for record in self._read() if record.place == place_id)

    def seen(self) -> Iterator[ServerRecord]:
        """All, also while another program writes them."""
        return self._read()

    def _read(self) -> Iterator[ServerRecord]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                record = ServerRecord.from_json(path.read_text(encoding="utf-8"))
                record.check(path.stem)
            except (UnicodeDecodeError, ConfigurationError) as exc:
                _log.warning("set aside the unreadable record %s: %s", path, exc)
                self.set_aside(path.stem)
            except OSError as exc:
                _log.warning("cannot read the record %s now: %s", path, exc.strerror)
            else:
                yield record

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.json"
