"""Whether a process that runs is still the one that was recorded."""

from __future__ import annotations

from enum import Enum, auto

from gglib_desktop.adapters.places.local import processes
from gglib_desktop.domain.servers.exits import Absence, ServerExit
from gglib_desktop.domain.servers.record import ServerRecord


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
