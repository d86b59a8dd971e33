"""Servers of this computer that another program started: finding, taking over and ending them.

Names serve for listing alone. Signals go to one process, known by pid and start time, never to a group or a name.
Servers that another running GGLib Desktop looks after are left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

import psutil

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.places.local import processes
from gglib_desktop.adapters.places.local.finding import described
from gglib_desktop.adapters.places.local.free_ports import is_let_go
from gglib_desktop.adapters.places.local.port_owners import listening_address
from gglib_desktop.adapters.places.local.server_process import ServerProcess, running
from gglib_desktop.adapters.places.stop_ladder import stop_process
from gglib_desktop.adapters.records.data_lock import LOCK_NAME, DataLock
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError, DataDirectoryInUse, NotRunning, RunnerUnavailable
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.options.host import LOOPBACK
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.values import PORT
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import PlacedProcess

_INIT_PID = 1
LOGS, SERVERS = "logs", "servers"
_PROGRAM = "gglib"
# Of a command line: an interpreter, its flag and the module come first.
_WORDS = 4


class ForeignProcesses:
    """The ``Strangers`` of this computer."""

    def __init__(self, data_dir: Path, logs: LogFolder) -> None:
        self._others = OtherPrograms(data_dir)
        self._records = RecordStore(data_dir / SERVERS)
        self._logs = logs

    async def find(
        self, ours: Collection[ServerRecord], readers: Mapping[str, ProcessReader]
    ) -> Sequence[ForeignServer]:
        # They are looked at all the time anyway. Reading of fifty what they are took 25 ms.
        own = frozenset(record.pid for record in ours)
        return await asyncio.to_thread(_find, self._records.has, self._others, own, readers)

    async def address_of(self, server: ForeignServer, reader: ProcessReader) -> ServerAddress:
        _check_signals_reach(server)
        port = server.port
        if port is None:
            reason = f"process {server.pid} listens on no port that can be reached from here"
            raise ConfigurationError("port", None, reason)
        if PORT.complaint(port):
            reason = f"it listens on port {port}, and this program looks after servers on ports from 1024 up"
            raise ConfigurationError("port", port, reason)
        host = await asyncio.to_thread(listening_address, server.pid, port)
        if host is None:
            _check_signals_reach(server)  # it may just have ended, which is the better reason
            raise ConfigurationError("port", port, f"process {server.pid} does not listen on port {port}")
        key = reader.key(*await asyncio.to_thread(processes.said_by, server.pid))
        return ServerAddress(port, None if host == LOOPBACK else host, key)

    async def take_over(
        self, server: ForeignServer, record: ServerRecord, begin: Callable[[ServerRecord, PlacedProcess], None]
    ) -> None:
        record = await asyncio.to_thread(described, record, server.pid)
        origin = await asyncio.to_thread(self._others.origin_of, server.pid, server.identity)
        with origin.taken_over():
            begin(record, running(record))
        # It is ours by now, with or without that note.
        with (
            contextlib.suppress(OSError, RunnerUnavailable),
            os.fdopen(self._logs.open_for_append(record.run), "ab") as log,
        ):
            log.write(
                b"This server was not started by GGLib Desktop, which took it over while it ran. "
                b"Its output goes where its starter sent it.\n"
            )

    async def stop(self, server: ForeignServer, grace_s: float) -> None:
        _check_signals_reach(server)
        await asyncio.to_thread(self._others.origin_of, server.pid, server.identity)
        process = ServerProcess(server.pid, server.identity, tag=(INSTANCE_VARIABLE, ""), group=None)
        try:
            # Without a known port only the process's own activity tells whether it still ends.
            await stop_process(process, is_free=partial(is_let_go, server.port or 0), grace_s=grace_s)
        finally:
            process.forget()


def _check_signals_reach(server: ForeignServer) -> None:
    """Raises: NotRunning when it is gone, RunnerUnavailable when it is another user's."""
    if processes.process_identity(server.pid) != server.identity:
        raise NotRunning(f"process {server.pid} is gone")
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError as exc:
        raise NotRunning(f"process {server.pid} is gone") from exc
    except PermissionError as exc:
        raise RunnerUnavailable(f"process {server.pid} belongs to another user") from exc


# -- finding; all of this blocks


def _find(
    is_own_run: Callable[[str], bool],
    others: OtherPrograms,
    own: Container[int | None],
    readers: Mapping[str, ProcessReader],
) -> list[ForeignServer]:
    found = []
    names = tuple(reader.names_begin for reader in readers.values())
    for process in processes.running_processes(names, without=own):
        # Processes end while one looks, and those of others do not tell everything.
        with contextlib.suppress(psutil.Error, OSError, RunnerUnavailable):
            name, argv = _program_and_words(process)
            engine = next((each for each, reader in readers.items() if reader.is_server(name, argv)), None)
            server = _described(process, argv, is_own_run, readers[engine]) if engine is not None else None
            if server is not None:
                found.append(replace(server, engine=engine))
    running = others.running() if found else ()
    kept = (replace(each, kept_by=others.keeper_of(each.pid, each.identity, running)) for each in found)
    return sorted(kept, key=lambda server: (server.started_at, server.pid))


def _program_and_words(process: psutil.Process) -> tuple[str, list[str]]:
    """The file name of its program, and its command line."""
    try:
        program = process.exe().removesuffix(" (deleted)")
    except psutil.AccessDenied:
        program = ""
    return PurePath(program or process.name()).name, process.cmdline()


def _described(
    process: psutil.Process, argv: list[str], is_own_run: Callable[[str], bool], reader: ProcessReader
) -> ForeignServer | None:
    """None for one that the runner started, or that is gone by now."""
    try:
        environment: Mapping[str, str] = process.environ()
    except psutil.AccessDenied:
        environment = {}
    # One that is just being started has its record already.
    run = environment.get(INSTANCE_VARIABLE)
    if run and is_own_run(run):
        return None
    with process.oneshot():
        started_at, rss_bytes = int(process.create_time()), process.memory_info().rss
    port = reader.port(argv, environment, _listening(process)) if _shares_network(process.pid) else None
    model = _absolute(reader.model(argv, environment), process)
    parent = _parent_of(process, of_this_program=run is not None)
    # Last, so that all the above was said of a process that still lived.
    identity = processes.process_identity(process.pid)
    if identity is None or not process.is_running():
        return None
    return ForeignServer(
        process.pid,
        identity,
        port,
        model,
        shell_line(tuple(argv), reader.key_flags),
        rss_bytes,
        parent,
        started_at,
        reader.settings(argv, environment),
    )


def _listening(process: psutil.Process) -> set[int]:
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return set()
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _shares_network(pid: int) -> bool:
    """False for a process in a container with a network of its own: its port numbers mean nothing here."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    except OSError:
        return True


def _absolute(model: Path | None, process: psutil.Process) -> Path | None:
    """The real path, as the library keeps it, as far as the process's folder is known."""
    if model is None:
        return None
    try:
        return (Path(process.cwd()) / model).resolve()
    except (psutil.AccessDenied, OSError):
        return model


def _parent_of(process: psutil.Process, *, of_this_program: bool) -> str | None:
    parent = process.parent()
    orphaned = parent is None or parent.pid == _INIT_PID or parent.name() == "systemd"
    if of_this_program:
        who = "another GGLib Desktop"
        return who if parent is None or orphaned else f"{who} ({parent.pid})"
    return _service_of(process.pid) if parent is None or orphaned else f"{parent.name()} ({parent.pid})"


def _service_of(pid: int) -> str | None:
    """The systemd service that a process without another parent is part of; systemd starts those again."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    unit = PurePath(groups[0]).name if groups else ""
    return unit if unit.endswith(".service") and not unit.startswith("user@") else None


@dataclass(frozen=True)
class Origin:
    """The data directory of the program that started process ``pid``, and its record there; None if there is none."""

    pid: int
    home: Path | None
    run: str | None

    @contextlib.contextmanager
    def taken_over(self) -> Iterator[None]:
        """Keeps that program from being started meanwhile; later it does not know the process. Raises: as origin_of."""
        if self.home is None:
            yield
            return
        lock = DataLock(self.home)
        try:
            lock.acquire()
        except DataDirectoryInUse as exc:
            raise RunnerUnavailable(_kept(self.pid)) from exc
        except RunnerUnavailable:
            pass  # what cannot be written is no running program's
        try:
            yield
            if self.run is not None:
                RecordStore(self.home / SERVERS).delete(self.run)
        finally:
            lock.release()


class OtherPrograms:
    """Other GGLib Desktops of this computer, seen from the one over ``data_dir``. All methods block."""

    def __init__(self, data_dir: Path) -> None:
        self._own = data_dir.resolve()

    def running(self) -> tuple[Path, ...]:
        """The data directories of those that run, by the lock that each has open."""
        return tuple(dict.fromkeys(self._find_running()))

    def keeper_of(self, pid: int, identity: str, running: Iterable[Path]) -> Path | None:
        """The data directory of the one among ``running`` that looks after this process; None if there is none.

        The one that started it is known by the output of the process too.
        """
        home = self._home_of(pid)
        if home is not None and DataLock(home).is_held():
            return home
        return next((each for each in running if RecordStore(each / SERVERS).run_of(pid, identity)), None)

    def origin_of(self, pid: int, identity: str) -> Origin:
        """Whose process it is. Raises: RunnerUnavailable when a program that runs looks after it."""
        if self.keeper_of(pid, identity, self.running()) is not None:
            raise RunnerUnavailable(_kept(pid))
        home = self._home_of(pid)
        return Origin(pid, home, None if home is None else RecordStore(home / SERVERS).run_of(pid, identity))

    def _home_of(self, pid: int) -> Path | None:
        """The data directory whose log folder takes the output of a process, unless it is our own."""
        with contextlib.suppress(psutil.Error, OSError):
            for file in psutil.Process(pid).open_files():
                log = Path(file.path)
                home = log.parent.parent
                if log.suffix == ".log" and log.parent.name == LOGS and (home / LOCK_NAME).is_file():
                    return None if home.resolve() == self._own else home
        return None

    def _find_running(self) -> Iterator[Path]:
        for process in processes.running_processes():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or not any(_PROGRAM in word for word in process.cmdline()[:_WORDS]):
                    continue
                for file in process.open_files():
                    lock = Path(file.path)
                    if lock.name == LOCK_NAME and (lock.parent / SERVERS).is_dir():
                        yield lock.parent


def _kept(pid: int) -> str:
    return f"another GGLib Desktop, which runs, looks after process {pid}"
