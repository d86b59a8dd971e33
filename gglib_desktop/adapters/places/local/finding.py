"""Finding a recorded process again: whether it is still the one that was recorded, and what it left if it ended.

An engine may be a script that runs the real server as its child. If the script dies, the server goes on serving its
clients, so the user wants it back in its panel: it is adopted in its own name. Processes that serve no one are
ended. Processes without the tag of the recorded run are not touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.free_ports import is_let_go
from gglib_desktop.adapters.places.local.port_owners import listens_itself
from gglib_desktop.adapters.places.local.processes import group_of
from gglib_desktop.adapters.places.local.server_process import ServerProcess
from gglib_desktop.adapters.places.stop_ladder import stop_process
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import NotRunning
from gglib_desktop.domain.servers.failures import Absence, ServerExit
from gglib_desktop.domain.servers.record import ServerRecord

_log = logging.getLogger(__name__)

# Pid and identity of processes that bear the tag of a run.
Tagged = Sequence[tuple[int, str]]


def still_there(record: ServerRecord) -> list[tuple[int, str]]:
    """The run's tagged processes, oldest first, then those that serve for it. Blocks. Raises: RunnerUnavailable."""
    tagged = processes.tagged(INSTANCE_VARIABLE, record.run)
    behind = [(each.pid, each.identity) for each in record.behind or ()]
    return tagged + [each for each in behind if each not in tagged and processes.process_identity(each[0]) == each[1]]


def continued(record: ServerRecord, tagged: Tagged) -> ServerRecord:
    """The record of what goes on in place of the recorded process. Blocks. Raises: NotRunning when nothing does.

    That is what had been started when its pid was not written down yet, else what itself listens on the port.
    """
    if record.pid is None:
        for pid, identity in tagged:
            if _leads_session(pid):
                return record.replace(pid=pid, identity=identity, started_at=int(time.time()))
    for pid, identity in tagged:
        if listens_itself(pid, record.port):
            _log.warning(
                "the server of %s (pid %s) ended, but pid %s, which it started, still serves its port",
                record.config.model_name,
                record.pid,
                pid,
            )
            return _in_place_of(record, pid, identity)
    raise NotRunning(f"process {record.pid} is gone")


def leftovers(record: ServerRecord, tagged: Tagged) -> list[tuple[int, str]]:
    """Those that are still in the process group of the recorded process, or serve for it; others live on their own."""
    group, servers = record.own_group, {each.pid for each in record.behind or ()}
    ours = group is not None
    return [(pid, identity) for pid, identity in tagged if ours and (pid in servers or group_of(pid) == group)]


async def end_all(left: Tagged, port: int, grace_s: float) -> None:
    """Takes each up the stop ladder, in parallel, as single processes: the leader of their group is gone.

    Raises: StopFailed, RunnerUnavailable.
    """
    await asyncio.gather(*(_end(pid, identity, port, grace_s) for pid, identity in left))


async def _end(pid: int, identity: str, port: int, grace_s: float) -> None:
    try:
        process = ServerProcess(pid, identity, tag=(INSTANCE_VARIABLE, ""), group=None)
    except NotRunning:
        return
    try:
        await stop_process(process, is_free=partial(is_let_go, port), grace_s=grace_s)
    finally:
        process.forget()


def _in_place_of(record: ServerRecord, pid: int, identity: str) -> ServerRecord:
    group = group_of(pid)
    continuing = record.replace(
        pid=pid,
        identity=identity,
        started_at=record.started_at or int(time.time()),
        owns_group=group in {pid, record.own_group},
        group=group,
        behind=None,
    )
    return described(continuing, pid)


def _leads_session(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return os.getsid(pid) == pid
    return False


class ProcessMatch(Enum):
    """What has become of a recorded process. CHANGED: it runs something else now, so it is no server of ours."""

    SAME = auto()
    GONE = auto()
    CHANGED = auto()


def match_of(record: ServerRecord) -> ProcessMatch:
    """Whether the very process that was recorded still runs, and still the same program.

    The identity proves the process. Its program file may be moved and its command line be rewritten meanwhile, so
    only both together speak against it, and what cannot be read does not. Blocks. Raises: RunnerUnavailable.
    """
    pid = record.pid
    if pid is None or record.identity is None or processes.process_identity(pid) != record.identity:
        return ProcessMatch.GONE
    same_file = _may_be_same(record.executable_file, processes.executable_file_of(pid))
    same_path = _may_be_same(record.executable, processes.executable_of(pid))
    # Records of earlier versions know no file.
    same_program = same_path if record.executable_file is None else same_file or same_path
    if same_program or _may_be_same(record.argv_hash, processes.argv_hash_of(pid)):
        return ProcessMatch.SAME
    return ProcessMatch.CHANGED


def described(record: ServerRecord, pid: int) -> ServerRecord:
    """The record with what a process tells of its program. Blocks briefly."""
    return record.replace(
        executable=processes.executable_of(pid),
        executable_file=processes.executable_file_of(pid),
        argv_hash=processes.argv_hash_of(pid),
    )


def absence_of(record: ServerRecord) -> ServerExit:
    """The end of a recorded process that no program saw."""
    restarted = record.identity is not None and processes.is_of_earlier_boot(record.identity)
    return ServerExit(None, absence=Absence.COMPUTER_RESTARTED if restarted else Absence.NOT_RUNNING)


def _may_be_same(recorded: str | None, found: str | None) -> bool:
    return recorded is None or found is None or recorded == found
