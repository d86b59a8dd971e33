"""What a runner writes down of each server, so that the next runner over the same data directory finds it again."""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from gglib_desktop.adapters.runners import processes
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.values import Value

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerRecord(Value):
    """One server run. Written first without a pid, so that a crash of ours between spawn and write loses nothing.

    ``run`` names the run, its log and the tag in the process's environment. ``identity`` tells the process from a
    later one with the same pid; ``executable`` and ``argv_hash`` are those of the process itself, once it answered.
    ``owns_group`` is False for a process that somebody else started: its group is not ours to signal.
    """

    run: str
    config: ServerConfig
    port: int
    command_line: str
    _: KW_ONLY
    pid: int | None = None
    identity: str | None = None
    started_at: int | None = None
    executable: str | None = None
    argv_hash: str | None = None
    owns_group: bool = True

    def handle(self) -> ProcessHandle:
        assert self.started_at is not None
        return ProcessHandle(self.config.model_id, self.config.model_name, self.pid, self.port, self.started_at)

    def is_alive(self) -> bool:
        """Whether the very process that was recorded still runs."""
        if self.pid is None or self.identity is None or processes.process_identity(self.pid) != self.identity:
            return False
        if self.executable is not None and processes.executable_of(self.pid) != self.executable:
            return False
        return self.argv_hash is None or processes.argv_hash_of(self.pid) == self.argv_hash


class RecordStore:
    """One JSON file per server that runs, each written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: ServerRecord) -> None:
        """Raises: RunnerUnavailable when the record cannot be kept; a server without one must not run."""
        target = self._path(record.run)
        draft = target.with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(record.to_json(), encoding="utf-8")
            os.replace(draft, target)
        except OSError as exc:
            raise RunnerUnavailable(f"cannot write the record {target}: {exc.strerror}") from exc

    def delete(self, run: str) -> None:
        self._path(run).unlink(missing_ok=True)

    def has(self, run: str) -> bool:
        return self._path(run).is_file()

    def records(self) -> Iterator[ServerRecord]:
        """All records. One that cannot be read is set aside, not deleted: it may be all that is known of a server.

        Not while records are written: drafts that a program left which was killed while it wrote are removed.
        """
        for draft in self._folder.glob("*.tmp"):
            draft.unlink(missing_ok=True)
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield ServerRecord.from_json(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, ConfigurationError) as exc:
                _log.warning("set aside the unreadable record %s: %s", path, exc)
                path.rename(path.with_suffix(".unreadable"))

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.json"


def run_name(model_name: str) -> str:
    """Sorts by time, says which model, and is no other run's."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", model_name).strip("-")[:40].lower() or "model"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}-{uuid.uuid4().hex[:8]}"
