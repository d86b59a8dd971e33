"""Server processes of this computer: starting, recognising and signalling them.

Linux is run and tested, macOS was not run, and Windows is refused when a server is to start.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import itertools
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from gglib_desktop.adapters.runners.exit_watch import ExitWatch
from gglib_desktop.adapters.runners.port_owners import listens_itself
from gglib_desktop.adapters.runners.process_use import ProcessUse
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, RunnerUnavailable
from gglib_desktop.domain.llama_cpp.argv import KEY_VARIABLE
from gglib_desktop.domain.llama_cpp.processes import stated_key
from gglib_desktop.domain.servers.exits import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage

# For what was killed to be gone.
_GONE_S = 1.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def spawn(argv: tuple[str, ...], environment: Mapping[str, str], output_fd: int) -> int:
    """Starts a program detached from ours, both its output streams into ``output_fd``. Returns its pid.

    Raises: ConfigurationError for the field ``engine`` when the system refuses, RunnerUnavailable on Windows.
    """
    if sys.platform == "win32":
        raise RunnerUnavailable("servers on this computer are supported on Linux and macOS so far")
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output_fd,
            stderr=output_fd,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as exc:
        raise ConfigurationError("engine", argv[0], f"the program cannot be started: {exc.strerror}") from exc
    # ServerProcess alone reaps it: Popen would warn about, or reap, a child that outlives this object.
    process.returncode = 0
    return process.pid


def process_identity(pid: int) -> str | None:
    """What tells a process from any other that has or had its pid; None when it is gone or a zombie.

    Raises: RunnerUnavailable when the system does not say.
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
    """Whether a process ran before the computer was started the last time, by what ``process_identity`` said of it."""
    boot_id, colon, _ticks = identity.rpartition(":")
    return bool(colon) and "" not in {boot_id, _boot_id()} and boot_id != _boot_id()


@functools.cache
def _boot_id() -> str:
    """Tells this run of the system from others; empty where nobody tells, as in some sandboxes."""
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
    """Device and inode of the program file, which stay when it is moved or replaced; None where nobody tells."""
    try:
        stat = Path(f"/proc/{pid}/exe").stat()
    except OSError:
        return None
    return f"{stat.st_dev}:{stat.st_ino}"


def argv_hash_of(pid: int) -> str | None:
    """A digest of the command line of a process; None when nobody tells."""
    try:
        argv = psutil.Process(pid).cmdline()
    except (psutil.Error, OSError):
        return None
    if not argv:
        return None
    return hashlib.sha256("\0".join(argv).encode("utf-8", "surrogateescape")).hexdigest()


def running_processes(prefix: str = "", *, without: Container[int | None] = ()) -> Iterator[psutil.Process]:
    """All that run, or those alone whose program's name begins with ``prefix``, in lower case. Blocks.

    The pids in ``without`` are passed over.

    psutil.process_iter keeps what it found before: the program of a process that runs another one since, and whose pid
    it was that has been given anew.
    """
    for pid in psutil.pids():
        try:
            if pid in without or (prefix and not _program_name(pid).lower().startswith(prefix)):
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


def group_of(pid: int) -> int | None:
    """The process group; None when the process is gone."""
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def key_of(pid: int) -> str | None:
    """The key that a server asks for, by its environment or else its command line; None without one. Blocks."""
    try:
        process = psutil.Process(pid)
        keys = process.environ().get(KEY_VARIABLE) or stated_key(process.cmdline())
    except (psutil.Error, OSError):
        return None
    # It takes any of several.
    return keys.split(",")[0] if keys else None


def reap(pid: int, *, within_s: float) -> None:
    """Waits for the end of a child of ours that was killed. Blocks."""
    deadline = time.monotonic() + within_s
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.002)


class ServerProcess:
    """One process, started by us or adopted. Signals reach it only while it is certain to be that very process."""

    def __init__(
        self, pid: int, identity: str, *, tag: tuple[str, str], group: int | None, port: int | None = None
    ) -> None:
        """Begins to watch. ``tag`` is the variable and value in the environment of all that this process starts.

        ``port``: what serves there with that tag is the server, wherever this process put it.

        ``group`` is its process group where that is ours to signal: its own, or that of a wrapper script that started
        it and is gone. None: somebody else started it, so only the process itself is ours to signal. Raises:
        NotRunning when there is no such process any more, RunnerUnavailable when it cannot be watched.
        """
        self.pid = pid
        self.identity = identity
        self.stopped_by = StopRung.NONE
        self._tag = tag
        self._group = group
        self._port = port
        self._exited: asyncio.Future[ServerExit] = asyncio.get_running_loop().create_future()
        try:
            self._use = ProcessUse(pid)
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError) as exc:
            raise NotRunning(f"process {pid} is gone") from exc
        except OSError as exc:
            raise RunnerUnavailable(f"cannot look at process {pid}: {exc.strerror}") from exc
        self.created_at = _created_at(pid)
        self.refuses_signals = False
        self._family: tuple[ProcessUse, ...] = ()
        self._watch = ExitWatch(pid, self._on_exit)
        try:
            if process_identity(pid) not in {identity, None}:
                raise NotRunning(f"pid {pid} belongs to another process by now")
        except (NotRunning, RunnerUnavailable):
            self.detach()
            raise

    @property
    def has_exited(self) -> bool:
        return self._exited.done()

    @property
    def exit(self) -> ServerExit | None:
        """How it ended; None while it runs."""
        return self._exited.result() if self.has_exited and not self._exited.cancelled() else None

    def poll(self) -> bool:
        """Whether it has ended, asking the kernel rather than waiting for its notice."""
        # Not by the process's state: the first thread may be a zombie while others still end.
        if not self.has_exited and self._watch.has_ended():
            self._on_exit()
        return self.has_exited

    def on_exit(self, *callbacks: Callable[[], object]) -> None:
        """Calls back on the loop once the process has ended."""

        def call_back(exited: asyncio.Future[ServerExit]) -> None:
            if not exited.cancelled():
                for callback in callbacks:
                    callback()

        self._exited.add_done_callback(call_back)

    async def wait(self) -> ServerExit:
        return await asyncio.shield(self._exited)

    async def exits_within(self, seconds: float) -> bool:
        await asyncio.wait({self._exited}, timeout=seconds)
        return self.has_exited

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        """Signals the process group, or the process alone where the group is not ours.

        ``rung`` is remembered as what ended the process, should it end now.
        """
        if self.poll():
            return
        self.stopped_by = rung
        try:
            if self._group is not None and self._group == group_of(self.pid):
                os.killpg(self._group, number)
            # The first thread may be a zombie while others still end: no identity is no other identity.
            elif process_identity(self.pid) in {self.identity, None}:
                self._watch.signal(number)
        except ProcessLookupError:
            pass
        except PermissionError:
            self.refuses_signals = True

    def count_in(self, family: Sequence[psutil.Process]) -> None:
        """Makes ``usage`` count other processes in, such as the server that a wrapper script runs."""
        uses = []
        for process in family:
            with contextlib.suppress(psutil.Error, OSError):
                uses.append(ProcessUse(process.pid))
        self._family = tuple(uses)

    def usage(self) -> Usage | None:
        """What it has used so far; None when it is gone."""
        used = self._use.read() if not self.poll() else None
        if used is None:
            return None
        for process in self._family:
            more = process.read()
            if more is not None:
                used = Usage(
                    used.cpu_s + more.cpu_s, used.rss_bytes + more.rss_bytes, paused=used.paused or more.paused
                )
        return used

    def detach(self) -> None:
        """Ends the watching; the process goes on."""
        self._watch.close()

    def forget(self) -> None:
        """Ends the watching and who waits for the end; the process goes on."""
        self.detach()
        self._exited.cancel()

    def kill_leftovers(self) -> None:
        """Ends what it started and what outlived it: its group, and the server if a script gave it another one. Blocks.

        Nothing while it lives, and nothing where the group is not ours.
        """
        if self._group is None or not self.has_exited:
            return
        variable, value = self._tag
        killed = []
        for process in running_processes():
            # They end while one looks.
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid == self.pid or process.environ().get(variable) != value:
                    continue
                if os.getpgid(process.pid) == self._group or self._is_server(process):
                    process.kill()
                    killed.append(process)
        deadline = time.monotonic() + _GONE_S
        while any(map(_lives, killed)) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _is_server(self, process: psutil.Process) -> bool:
        if self._port is None:
            return False
        # Before it listens its arguments tell.
        asked = ("--port", str(self._port)) in itertools.pairwise(process.cmdline())
        return asked or listens_itself(process.pid, self._port)

    def _on_exit(self) -> None:
        status = None if self._exited.done() else self._status()
        self.detach()
        if not self._exited.done():
            self._exited.set_result(ServerExit(status, self.stopped_by))

    def _status(self) -> int | None:
        if sys.platform == "win32":  # not run
            return self._watch.exit_status()
        return self._reaped() if self._group == self.pid else None

    def _reaped(self) -> int | None:
        """The exit status of our own child, whose group ends with it; None for any other process."""
        with contextlib.suppress(ChildProcessError):
            # As long as our child is not reaped nobody else can have its pid, so its group is its own.
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)
            reaped, wait_status = os.waitpid(self.pid, os.WNOHANG)
            if reaped:
                return os.waitstatus_to_exitcode(wait_status)
        return None


def _created_at(pid: int) -> float:
    """By psutil's clock, for comparing; later than all others when the process is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return math.inf


def _lives(process: psutil.Process) -> bool:
    """False for a zombie too, which may wait long for somebody to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
