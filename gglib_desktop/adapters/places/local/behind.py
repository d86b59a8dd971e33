"""Servers that are not descendants of the started program: a container engine or a service manager runs them.

They are known by their command lines, which hold the arguments that the program was given, and from then on by pid and
identity.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import psutil

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.finding import end_all
from gglib_desktop.adapters.places.local.port_owners import Family, owner_of, owners_of
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import RunnerUnavailable, StopFailed
from gglib_desktop.domain.servers.record import KnownProcess, ServerRecord

_CLOSES_S = 3.0
_TICK_S = 0.1


class Source(Enum):
    """Who answers on the port of a start. BEHIND: not the program, so only believed once the program is idle."""

    SERVER = auto()
    BEHIND = auto()
    STRANGER = auto()


@dataclass(frozen=True)
class Answer:
    """``family``: what belongs to the server beside the process itself. ``behind``: as in its record."""

    source: Source
    family: Sequence[psutil.Process] = ()
    behind: tuple[KnownProcess, ...] | None = None
    stranger: str | None = None


@dataclass(frozen=True)
class Started:
    """A program that was started for a server: its record, its creation time, and its arguments."""

    record: ServerRecord
    created_at: float
    arguments: tuple[str, ...]

    def answer(self) -> Answer:
        """Who answers on the port. Blocks."""
        port = self.record.port
        family = Family.of(self.record.pid, port) if self.record.pid is not None else None
        if family is None:
            return Answer(Source.STRANGER)
        if family.listens:
            return self._of_family(family, family.listens)
        owners = owners_of(port)
        hidden = [each for each in family.hidden if owners.may_include(each)]
        if hidden:
            return self._of_family(family, hidden)
        tagged = [process for process in map(_process, owners.pids) if process is not None and self._is_tagged(process)]
        if tagged:
            return Answer(Source.SERVER, [*family.members[1:], *tagged], _known(tagged))
        behind = self.behind()
        if behind or (owners.is_hidden and not family.hidden):
            servers = [process for each in behind if (process := _process(each.pid)) is not None]
            return Answer(Source.BEHIND, [*family.members[1:], *servers], behind)
        return Answer(Source.STRANGER, stranger=owner_of(port))

    def behind(self) -> tuple[KnownProcess, ...]:
        """The processes that others started with this program's arguments since its start. Blocks."""
        found = []
        for process in processes.running_processes():
            # They end while one looks, and some do not tell.
            with contextlib.suppress(psutil.Error, OSError):
                if (
                    process.pid != self.record.pid
                    and process.create_time() >= self.created_at
                    and self._is_like(process)
                ):
                    found.append(process)
        return _known(found)

    def _of_family(self, family: Family, servers: Sequence[psutil.Process]) -> Answer:
        itself = any(each.pid == self.record.pid for each in servers)
        return Answer(Source.SERVER, family.members[1:], None if itself else _known(servers))

    def _is_tagged(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            return process.environ().get(INSTANCE_VARIABLE) == self.record.run
        return False

    def _is_like(self, process: psutil.Process) -> bool:
        words, count = tuple(process.cmdline()), len(self.arguments)
        if not any(words[at : at + count] == self.arguments for at in range(1, len(words) - count + 1)):
            return False
        try:
            return process.environ().get(INSTANCE_VARIABLE, self.record.run) == self.record.run
        except psutil.AccessDenied:
            # A process of our own user may be that of another GGLib Desktop with the same arguments.
            return process.uids().real != os.getuid()


async def end_behind(record: ServerRecord, in_thread: InThread, grace_s: float) -> None:
    """Ends the servers behind a program that has ended. Raises: StopFailed if one goes on, RunnerUnavailable."""
    left = [(each.pid, each.identity) for each in record.behind or ()]
    await end_all(left, record.port, grace_s)
    for _tick in range(round(_CLOSES_S / _TICK_S)):
        if not (await in_thread(owners_of, record.port)).is_hidden:
            return
        await asyncio.sleep(_TICK_S)
    raise StopFailed(
        f"the program that was started (pid {record.pid}) has ended, but a process that the system does not show to "
        f"this program still listens on port {record.port}; end the server where that program started it"
    )


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _known(found: Sequence[psutil.Process]) -> tuple[KnownProcess, ...]:
    known = []
    for process in found:
        with contextlib.suppress(RunnerUnavailable):
            identity = processes.process_identity(process.pid)
            # Still the process that it was before, so pid and identity are of the same.
            if identity is not None and process.is_running():
                known.append(KnownProcess(process.pid, identity))
    return tuple(known)
