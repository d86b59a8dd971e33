"""What a runner writes down of each server, so that the next runner over the same data directory finds it again."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from enum import Enum, auto
from pathlib import Path

from gglib_desktop.adapters.files import private
from gglib_desktop.adapters.runners import processes
from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.exits import Absence, ServerExit
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.values import Value
from gglib_desktop.ports.servers.server_monitor import LostServer

_log = logging.getLogger(__name__)
_LAST_PORT = 65535


class ProcessMatch(Enum):
    """What has become of a recorded process. CHANGED: it runs something else now, so it is no server of ours."""

    SAME = auto()
    GONE = auto()
    CHANGED = auto()


@dataclass(frozen=True)
class KnownProcess(Value):
    """A process and what tells it from a later one with the same pid."""

    pid: int
    identity: str


@dataclass(frozen=True)
class ServerRecord(Value):
    """One server run. Written first without a pid, so that a crash of ours between spawn and write loses nothing.

    ``run`` names the run, its log and the tag in the process's environment. ``identity`` tells the process from a
    later one with the same pid; ``executable``, ``executable_file`` (device and inode) and ``argv_hash`` are those of
    the process itself, once it answered.
    ``owns_group`` is False for a process that somebody else started: its group is not ours to signal. ``group`` is
    the process group where the process does not lead it, such as that of a wrapper script that ended before it.
    ``behind``: the servers that the process has started for it, itself or through others such as a container engine, as
    far as the system shows them; None when the process serves itself.
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
    executable_file: str | None = None
    argv_hash: str | None = None
    owns_group: bool = True
    group: int | None = None
    behind: tuple[KnownProcess, ...] | None = None

    def check(self, name: str) -> None:
        """Raises: ConfigurationError when it is not what was written as ``name``, and no process can be found by it."""
        if self.run != name:
            raise ConfigurationError("run", self.run, "is not the record's own name")
        if not 1 <= self.port <= _LAST_PORT:
            raise ConfigurationError("port", self.port, "is no port")
        if (self.started_at or 0) < 0 or (self.pid is not None and self.started_at is None):
            raise ConfigurationError("started_at", self.started_at, "must be known")
        if self.pid is not None and self.pid <= 1:
            raise ConfigurationError("pid", self.pid, "is no server")  # it stands for its group
        if self.group is not None and self.group <= 1:
            raise ConfigurationError("group", self.group, "is no group of servers")  # signals to it would go to all

    def handle(self) -> ProcessHandle:
        assert self.started_at is not None
        return ProcessHandle(self.config.model_id, self.config.model_name, self.pid, self.port, self.started_at)

    def processes(self) -> set[tuple[int | None, str | None]]:
        """Pid and identity of all that serve."""
        return {(self.pid, self.identity), *((each.pid, each.identity) for each in self.behind or ())}

    @property
    def own_group(self) -> int | None:
        """The process group that is ours to signal."""
        return (self.group or self.pid) if self.owns_group else None

    def lost(self) -> list[LostServer]:
        """What is to be told of it when it has ended; nothing when it never ran. Blocks briefly."""
        if self.pid is None or self.identity is None:
            return []
        restarted = processes.is_of_earlier_boot(self.identity)
        absence = Absence.COMPUTER_RESTARTED if restarted else Absence.NOT_RUNNING
        return [LostServer(self.config, self.command_line, self.run, ServerExit(None, absence=absence))]

    def address(self, key: str | None = None) -> ServerAddress:
        return ServerAddress(self.port, self.config.host, key)

    def described(self, pid: int) -> ServerRecord:
        """The record with what a process tells of its program."""
        return self.replace(
            executable=processes.executable_of(pid),
            executable_file=processes.executable_file_of(pid),
            argv_hash=processes.argv_hash_of(pid),
        )

    def likeness(self) -> ProcessMatch:
        """Whether the very process that was recorded still runs, and still the same program.

        The identity proves the process. Its program file may be moved and its command line be rewritten meanwhile, so
        only both together speak against it, and what cannot be read does not. Blocks. Raises: RunnerUnavailable.
        """
        if self.pid is None or self.identity is None or processes.process_identity(self.pid) != self.identity:
            return ProcessMatch.GONE
        same_file = _may_be_same(self.executable_file, processes.executable_file_of(self.pid))
        same_path = _may_be_same(self.executable, processes.executable_of(self.pid))
        # Records of earlier versions know no file.
        same_program = same_path if self.executable_file is None else same_file or same_path
        if same_program or _may_be_same(self.argv_hash, processes.argv_hash_of(self.pid)):
            return ProcessMatch.SAME
        return ProcessMatch.CHANGED


class RecordStore:
    """One JSON file per server that runs, each written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: ServerRecord) -> None:
        """Raises: RunnerUnavailable when the record cannot be kept; a server without one must not run."""
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
        """As ``write``; where that fails, on a full disk say, the server is found again by what was written before."""
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
        """Keeps the record for people, and reads it no more."""
        path = self._path(run)
        try:
            path.rename(path.with_suffix(".unreadable"))
        except OSError as exc:
            _log.warning("cannot set aside the record %s: %s", path, exc.strerror)

    def run_of(self, pid: int, identity: str) -> str | None:
        """The run whose record is of this process. Only reads, so also for the records of another program."""
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, UnicodeDecodeError, ConfigurationError):
                record = ServerRecord.from_json(path.read_text(encoding="utf-8"))
                if (record.pid, record.identity) == (pid, identity):
                    return path.stem
        return None

    def has(self, run: str) -> bool:
        return self._path(run).is_file()

    def records(self) -> Iterator[ServerRecord]:
        """All records. One that makes no sense is set aside, not deleted: it may be all that is known of a server.

        Not while records are written: drafts that a program left which was killed while it wrote are removed.
        """
        for draft in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
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


def _may_be_same(recorded: str | None, found: str | None) -> bool:
    return recorded is None or found is None or recorded == found


def run_name(model_name: str) -> str:
    """Sorts by time, says which model, and is no other run's."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", model_name).strip("-")[:40].lower() or "model"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}-{uuid.uuid4().hex[:8]}"
