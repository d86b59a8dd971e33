"""Server processes of this computer: starting, recognising and signalling them.

Linux is run and tested, macOS was not run, and Windows is refused when a server is to start.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from gglib_desktop.domain.errors import ConfigurationError, RunnerUnavailable

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def spawn(
    argv: tuple[str, ...],
    environment: Mapping[str, str],
    output_fd: int,
    folder: Path | None = None,
    *,
    input_fd: int = subprocess.DEVNULL,
) -> int:
    """Starts a program detached from ours, both its output streams into ``output_fd``. Returns its pid.

    It runs in ``folder``, or where this program does, and reads from ``input_fd``, or nothing.

    Raises: ConfigurationError for the field ``engine`` when the system refuses, RunnerUnavailable on Windows.
    """
    if sys.platform == "win32":
        raise RunnerUnavailable("servers on this computer are supported on Linux and macOS so far")
    try:
        process = subprocess.Popen(
            argv,
            stdin=input_fd,
            stdout=output_fd,
            stderr=output_fd,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    except OSError as exc:
        raise ConfigurationError("engine", argv[0], f"the program cannot be started: {exc.strerror}") from exc
    # ServerProcess alone reaps it: Popen would warn about, or reap, a child that outlives this object.
    process.returncode = 0
    return process.pid


def process_identity(pid: int) -> str | None:
    """The identity of a process among all that have or had its pid; None if it is gone or a zombie.

    Raises: RunnerUnavailable if the system does not say.
    """
    if not sys.platform.startswith("linux"):
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
        except psutil.Error:
            return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        boot_id = _boot_id()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError as exc:
        raise RunnerUnavailable(f"cannot look at process {pid}: {exc.strerror}") from exc
    # The second field, the name in parentheses, may itself hold blanks and parentheses.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZXx" else f"{boot_id}:{fields[18]}"


def is_of_earlier_boot(identity: str) -> bool:
    """Whether a process ran before the computer's last start, by its ``process_identity``."""
    boot_id, colon, _ticks = identity.rpartition(":")
    return bool(colon) and "" not in {boot_id, _boot_id()} and boot_id != _boot_id()


@functools.cache
def _boot_id() -> str:
    """Identifies this run of the system; empty if the system does not say, as in some sandboxes."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def executable_of(pid: int) -> str | None:
    """The program file of a process, also after an update has replaced it on disk."""
    try:
        return psutil.Process(pid).exe().removesuffix(" (deleted)") or None
    except (psutil.Error, OSError):
        return None


def executable_file_of(pid: int) -> str | None:
    """Device and inode of the program file, which stay when it is moved or replaced; None if that is unknown."""
    try:
        stat = Path(f"/proc/{pid}/exe").stat()
    except OSError:
        return None
    return f"{stat.st_dev}:{stat.st_ino}"


def argv_hash_of(pid: int) -> str | None:
    """A digest of the command line of a process; None if the system does not show it."""
    try:
        argv = psutil.Process(pid).cmdline()
    except (psutil.Error, OSError):
        return None
    if not argv:
        return None
    return hashlib.sha256("\0".join(argv).encode("utf-8", "surrogateescape")).hexdigest()


def running_processes(
    prefixes: tuple[str, ...] = (), *, without: Container[int | None] = ()
) -> Iterator[psutil.Process]:
    """All that run, or those alone whose program's name begins with one of ``prefixes``, in lower case. Blocks.

    The pids in ``without`` are passed over.

    psutil.process_iter keeps what it found before: the program of a process that runs another one since, and whose pid
    it was that has been given anew.
    """
    for pid in psutil.pids():
        try:
            if pid in without or (prefixes and not _program_name(pid).lower().startswith(prefixes)):
                continue
            process = psutil.Process(pid)
        except psutil.Error:
            continue
        yield process


def _program_name(pid: int) -> str:
    """The file name of its program, or its beginning where another user's does not tell; empty when it is gone.

    Asked of every process of the computer again and again, so it costs one system call where it can: psutil reads
    three files, and a look at 130 processes took 35 ms.
    """
    if not sys.platform.startswith("linux"):
        return psutil.Process(pid).name()
    try:
        return os.readlink(f"/proc/{pid}/exe").rpartition("/")[2]  # a Path costs more than the call
    except PermissionError:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    return ""


def tagged(variable: str, value: str) -> list[tuple[int, str]]:
    """Pid and identity of the processes with ``variable=value`` in their environment, oldest first. Blocks."""
    found = []
    for process in running_processes():
        # They end while one looks, and those of other users do not tell.
        with contextlib.suppress(psutil.Error, OSError, RunnerUnavailable):
            if process.environ().get(variable) != value:
                continue
            identity = process_identity(process.pid)
            # Still the one that it was before its environment was read, so both are of the same process.
            if identity is not None and process.is_running():
                found.append((process.pid, identity))
    return found


def children_of(pid: int) -> list[int]:
    """The processes that a process started and that have not ended. Quick on Linux alone."""
    if not sys.platform.startswith("linux"):  # not run
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children()]
        return []
    found: list[int] = []
    # Each thread has those that it started itself.
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, children.read_text(encoding="ascii").split())
    return found


def group_of(pid: int) -> int | None:
    """The process group; None when the process is gone."""
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def said_by(pid: int) -> tuple[Sequence[str], Mapping[str, str]]:
    """The command line and the environment of a process; nothing where the system does not tell. Blocks."""
    try:
        process = psutil.Process(pid)
        return process.cmdline(), process.environ()
    except (psutil.Error, OSError):
        return (), {}


def reap(pid: int, *, within_s: float) -> None:
    """Waits for the end of a child of ours that was killed. Blocks."""
    deadline = time.monotonic() + within_s
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.002)
