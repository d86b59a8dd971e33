"""A server's process on this computer: watched, and signaled only while it is certain to be that very one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence

import psutil

from gglib_desktop.adapters.places.awaited_exit import AwaitedExit
from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.exit_watch import ExitWatch
from gglib_desktop.adapters.places.local.memory_use import memory_use
from gglib_desktop.adapters.places.local.port_owners import listens_itself
from gglib_desktop.adapters.places.local.process_use import ProcessUse
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.router.kind import is_router
from gglib_desktop.domain.traffic.figures import MemoryUse

# For what was killed to be gone.
_GONE_S = 1.0


def watched(record: ServerRecord) -> ServerProcess:
    """The process of a record, from now on watched. Raises: NotRunning, RunnerUnavailable."""
    assert record.pid is not None
    assert record.identity is not None
    tag = (INSTANCE_VARIABLE, record.run)
    process = ServerProcess(record.pid, record.identity, tag=tag, group=record.own_group, port=record.port)
    process.counts_children = is_router(record.config)
    return process


def running(record: ServerRecord) -> ServerProcess:
    """As ``watched``; raises NotRunning also for one that has ended."""
    process = watched(record)
    if process.poll():
        raise NotRunning(f"process {record.pid} is gone")
    return process


class ServerProcess(AwaitedExit):
    """One process, started by us or adopted. Signals reach it only while it is certain to be that very process."""

    def __init__(
        self, pid: int, identity: str, *, tag: tuple[str, str], group: int | None, port: int | None = None
    ) -> None:
        """Begins to watch. ``tag`` is the variable and value in the environment of all that this process starts.

        ``port``: what serves there with that tag is the server, wherever this process put it.

        ``group`` is its process group where that is ours to signal: its own, or that of a wrapper script that started
        it and is gone. None: another program started it, so only the process itself is ours to signal. Raises:
        NotRunning when there is no such process any more, RunnerUnavailable when it cannot be watched.
        """
        super().__init__()
        self.pid = pid
        self.identity = identity
        self.stopped_by = StopRung.NONE
        self.arguments: tuple[str, ...] = ()
        # What it uses is then what they use, who come and go.
        self.counts_children = False
        self._tag = tag
        self._group = group
        self._port = port
        try:
            self._uses: tuple[ProcessUse, ...] = (ProcessUse(pid),)
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError) as exc:
            raise NotRunning(f"process {pid} is gone") from exc
        except OSError as exc:
            raise RunnerUnavailable(f"cannot look at process {pid}: {exc.strerror}") from exc
        self.created_at = _created_at(pid)
        self.refuses_signals = False
        self._watch = ExitWatch(pid, self._on_exit)
        try:
            if processes.process_identity(pid) not in {identity, None}:
                raise NotRunning(f"pid {pid} belongs to another process by now")
        except (NotRunning, RunnerUnavailable):
            self.detach()
            raise

    def poll(self) -> bool:
        """Whether it has ended, asking the kernel rather than waiting for its notice."""
        # Not by the process's state: the first thread may be a zombie while others still end.
        if not self.has_exited and self._watch.has_ended():
            self._on_exit()
        return self.has_exited

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        """Signals the process group, or the process alone where the group is not ours.

        ``rung`` is remembered as what ended the process, should it end now.
        """
        if self.poll():
            return
        self.stopped_by = rung
        try:
            if self._group is not None and self._group == processes.group_of(self.pid):
                os.killpg(self._group, number)
            # The first thread may be a zombie while others still end: no identity is no other identity.
            elif processes.process_identity(self.pid) in {self.identity, None}:
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
        self._uses = (self._uses[0], *uses)

    def usage(self) -> Usage | None:
        """What it has used so far; None when it is gone."""
        used = self._uses[0].read() if not self.poll() else None
        if used is None:
            return None
        for process in self._family():
            more = process.read()
            if more is not None:
                used = Usage(
                    used.cpu_s + more.cpu_s, used.rss_bytes + more.rss_bytes, paused=used.paused or more.paused
                )
        return used

    async def memory(self) -> MemoryUse | None:
        return None if self.poll() else await asyncio.to_thread(self._memory)

    def _memory(self) -> MemoryUse | None:
        return memory_use([self.pid, *(use.pid for use in self._family())])

    def _family(self) -> Iterator[ProcessUse]:
        """The other processes that are counted in."""
        yield from self._uses[1:]
        for pid in processes.children_of(self.pid) if self.counts_children else ():
            with contextlib.suppress(psutil.Error, OSError):  # it has just ended
                yield ProcessUse(pid)

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
        for process in processes.running_processes():
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
        asked = str(self._port) in process.cmdline()
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
            # Until our child is reaped no other process can have its pid, so its group is its own.
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
    """False for a zombie too, which its parent may leave unreaped for long."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
