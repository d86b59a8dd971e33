"""What is saved about each server, so that the next runner over the same data directory finds it again."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import KW_ONLY, dataclass

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.servers.server import PLACE, ProcessHandle, ServerConfig
from gglib_desktop.domain.values import Value, limited

_LAST_PORT = 65535


@dataclass(frozen=True)
class KnownProcess(Value):
    """A process, and what distinguishes it from a later one with the same pid."""

    pid: int
    identity: str


@dataclass(frozen=True)
class ServerRecord(Value):
    """One server run. Written first without a pid, so that a crash of ours between spawn and write loses nothing.

    ``run`` names the run, its log, and the tag by which its place finds its processes. ``place`` is the id of that
    place, ``engine`` that of the engine; None: the place's own. ``identity`` is the place's own text: it distinguishes
    the process from a later one with the same pid.
    ``workers``: the runs of its workers, which end with it.
    ``unwanted``: its start failed or was canceled, and it could not be ended.
    ``owns_group`` is False for a process that the place did not start, which must be signaled alone. ``behind``: the
    servers that the process started for it, itself or through others such as a container engine, as far as the system
    shows them; None if the process itself serves.

    The local place also writes ``executable``, ``executable_file`` (device and inode) and ``argv_hash`` of the process
    once it answered, and ``group``: its process group if the process does not lead it.
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
    place: str = limited(PLACE, default="local")
    engine: str | None = None
    unwanted: bool = False
    workers: tuple[str, ...] = ()

    def check(self, name: str) -> None:
        """Raises: ConfigurationError if it was not written as ``name``, and no process can be found by it."""
        if self.run != name:
            raise ConfigurationError("run", self.run, "is not the record's own name")
        if not 1 <= self.port <= _LAST_PORT:
            raise ConfigurationError("port", self.port, "is no port")
        has_begun = self.pid is not None or self.identity is not None
        if (self.started_at or 0) < 0 or (has_begun and self.started_at is None):
            raise ConfigurationError("started_at", self.started_at, "must be known")
        if self.pid is not None and self.pid <= 1:
            raise ConfigurationError("pid", self.pid, "is no server")  # it stands for its group
        if self.group is not None and self.group <= 1:
            raise ConfigurationError("group", self.group, "is no group of servers")  # signals to it would go to all

    def handle(self) -> ProcessHandle:
        assert self.started_at is not None
        run = self.run if self.pid is None else ""
        name = self.config.model_name
        return ProcessHandle(
            self.config.model_id, name, self.pid, self.port, self.started_at, place=self.place, run=run
        )

    def processes(self) -> set[tuple[int | None, str | None]]:
        """Pid and identity of every process that serves."""
        return {(self.pid, self.identity), *((each.pid, each.identity) for each in self.behind or ())}

    @property
    def own_group(self) -> int | None:
        """The process group that is ours to signal."""
        return (self.group or self.pid) if self.owns_group else None


def run_name(model_name: str) -> str:
    """Sorts by time, names the model, and is unique."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", model_name).strip("-")[:40].lower() or "model"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}-{uuid.uuid4().hex[:8]}"
