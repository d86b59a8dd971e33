"""llama-servers of this computer that somebody else started: finding, taking over and ending them.

Names serve for listing alone. Signals go to one process, known by pid and start time, never to a group or a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import psutil

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.runners import processes
from gglib_desktop.adapters.runners.other_programs import SERVERS, OtherPrograms
from gglib_desktop.adapters.runners.port_owners import listening_address
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import RecordStore, ServerRecord, run_name
from gglib_desktop.adapters.runners.stop_ladder import stop_process
from gglib_desktop.domain.environment import INSTANCE_VARIABLE
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, ProcessError, RunnerUnavailable
from gglib_desktop.domain.llama_cpp.processes import is_llama_server, server_port, stated_model, stated_settings
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.options.host import LOOPBACK, own_url
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.values import PORT

if TYPE_CHECKING:
    from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient

_UNKNOWN_MODEL = Path("unknown-model")
_INIT_PID = 1
# Of every program that may be a llama-server.
_NAMES_BEGIN = "llama"


class ForeignProcesses:
    """What a runner needs for the ForeignServers port.

    ``ours`` gives the records of the runner's own running servers; ``take_over`` makes a record's process, which asks
    for a key or for none, one of them, and raises NotRunning when it is gone.
    """

    def __init__(
        self,
        data_dir: Path,
        logs: LogFolder,
        *,
        ours: Callable[[], Iterable[ServerRecord]],
        take_over: Callable[[ServerRecord, str | None], object],
    ) -> None:
        self._others = OtherPrograms(data_dir)
        self._records = RecordStore(data_dir / SERVERS)
        self._logs = logs
        self._ours = ours
        self._take_over = take_over
        self._adopting = asyncio.Lock()

    async def find(self) -> Sequence[ForeignServer]:
        # They are looked at all the time. Reading of fifty what they are took 25 ms.
        own = {record.pid for record in self._ours()}
        found = await asyncio.to_thread(_find, self._records.has, self._others, own)
        # Asked afterwards: one may have been taken over while the search ran.
        return [server for server in found if self._own_record(server) is None]

    async def adopt(
        self, server: ForeignServer, http: LlamaClient, *, model_id: int | None, model_name: str | None
    ) -> ProcessHandle:
        async with self._adopting:
            known = self._own_record(server)
            if known is not None:
                return known.handle()
            _check_signals_reach(server)
            try:
                address = await _usable_address(server, http)
            except ConfigurationError:
                _check_signals_reach(server)  # it may just have ended, which is the better reason
                raise
            path = server.model_path or await _served_model(http, address)
            config = _config(server, address, path, model_id=model_id, model_name=model_name)
            if config.alias is None:
                config = config.replace(alias=",".join(await http.names(address)))
            record = await asyncio.to_thread(_record, server, config, address.port)
            origin = await asyncio.to_thread(self._others.origin_of, server.pid, server.identity)
            with origin.taken_over():
                self._begin(record, address.key)
            return record.handle()

    async def stop(self, server: ForeignServer, *, grace_s: float) -> None:
        _check_signals_reach(server)
        await asyncio.to_thread(self._others.origin_of, server.pid, server.identity)
        process = ServerProcess(server.pid, server.identity, tag=(INSTANCE_VARIABLE, ""), group=None)
        try:
            # Without a known port only the process's own activity tells whether it still ends.
            await stop_process(process, port=server.port or 0, grace_s=grace_s)
        finally:
            process.forget()

    def _begin(self, record: ServerRecord, key: str | None) -> None:
        self._records.write(record)
        try:
            self._take_over(record, key)
        except ProcessError:
            self._records.delete(record.run)
            raise
        # It is ours by now, with or without that note.
        with (
            contextlib.suppress(OSError, RunnerUnavailable),
            os.fdopen(self._logs.open_for_append(record.run), "ab") as log,
        ):
            log.write(
                b"This server was not started by GGLib Desktop, which took it over while it ran. "
                b"Its output goes where its starter sent it.\n"
            )

    def _own_record(self, server: ForeignServer) -> ServerRecord | None:
        chosen = (server.pid, server.identity)
        return next((record for record in self._ours() if chosen in record.processes()), None)


# -- adopting


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


async def _usable_address(server: ForeignServer, http: LlamaClient) -> ServerAddress:
    """Where it can be asked as our own servers are, and its key if that can be found. Raises: ConfigurationError."""
    port = server.port
    if port is None:
        raise ConfigurationError("port", None, f"process {server.pid} listens on no port that can be reached from here")
    if PORT.complaint(port):
        reason = f"it listens on port {port}, and this program looks after servers on ports from 1024 up"
        raise ConfigurationError("port", port, reason)
    host = await asyncio.to_thread(listening_address, server.pid, port)
    if host is None:
        raise ConfigurationError("port", port, f"process {server.pid} does not listen on port {port}")
    key = await asyncio.to_thread(processes.key_of, server.pid)
    address = ServerAddress(port, None if host == LOOPBACK else host, key)
    probe = await http.probe(address, PROBE_TIMEOUT_S)
    if probe.result in {ProbeResult.REFUSED, ProbeResult.FOREIGN}:
        reason = f"it does not answer on {own_url(host, port)} ({probe.message})"
        raise ConfigurationError("port", port, reason)
    return address


async def _served_model(http: LlamaClient, address: ServerAddress) -> Path:
    """The model of a server whose command line names no file, as the server itself says."""
    facts = await http.facts(address)
    return Path(facts.model_path) if facts is not None and facts.model_path else _UNKNOWN_MODEL


def _config(
    server: ForeignServer, address: ServerAddress, path: Path, *, model_id: int | None, model_name: str | None
) -> ServerConfig:
    name = model_name or (path.stem if path != _UNKNOWN_MODEL else "llama-server")
    # Models of the library have positive ids.
    own_id, port = -server.pid if model_id is None else model_id, address.port
    return ServerConfig(own_id, name, path, port, port=port, host=address.host, **asdict(server.settings))


def _record(server: ForeignServer, config: ServerConfig, port: int) -> ServerRecord:
    return ServerRecord(
        run_name(config.model_name),
        config,
        port,
        server.command_line,
        pid=server.pid,
        identity=server.identity,
        started_at=server.started_at,
        owns_group=False,
    ).described(server.pid)


# -- finding; all of this blocks


def _find(is_own_run: Callable[[str], bool], others: OtherPrograms, own: Container[int | None]) -> list[ForeignServer]:
    found = []
    for process in processes.running_processes(_NAMES_BEGIN, without=own):
        # Processes end while one looks, and those of others do not tell everything.
        with contextlib.suppress(psutil.Error, OSError, RunnerUnavailable):
            argv = _argv_of_server(process)
            server = _described(process, argv, is_own_run) if argv else None
            if server is not None:
                found.append(server)
    running = others.running() if found else ()
    kept = (replace(each, kept_by=others.keeper_of(each.pid, each.identity, running)) for each in found)
    return sorted(kept, key=lambda server: (server.started_at, server.pid))


def _argv_of_server(process: psutil.Process) -> list[str]:
    """The command line of a llama-server, nothing for any other program."""
    try:
        program = process.exe().removesuffix(" (deleted)")
    except psutil.AccessDenied:
        program = ""
    name = PurePath(program or process.name()).name
    argv = process.cmdline()
    return argv if is_llama_server(name, argv) else []


def _described(process: psutil.Process, argv: list[str], is_own_run: Callable[[str], bool]) -> ForeignServer | None:
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
    port = server_port(argv, environment, _listening(process)) if _shares_network(process.pid) else None
    model = _absolute(stated_model(argv, environment), process)
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
        shell_line(tuple(argv)),
        rss_bytes,
        parent,
        started_at,
        stated_settings(argv, environment),
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
