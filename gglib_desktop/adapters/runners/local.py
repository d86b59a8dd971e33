"""Servers on this computer: real llama-server processes."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gglib_desktop.adapters.log_files import LogFolder
from gglib_desktop.adapters.runners import processes
from gglib_desktop.adapters.runners.data_lock import DataLock
from gglib_desktop.adapters.runners.foreign import ForeignProcesses
from gglib_desktop.adapters.runners.model_file import check_model_file
from gglib_desktop.adapters.runners.port_allocator import PortAllocator, listens_on, owner_of
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import RecordStore, ServerRecord, run_name
from gglib_desktop.adapters.runners.stop_ladder import kill_leftovers, kill_process, stop_process
from gglib_desktop.domain.engine import Engine
from gglib_desktop.domain.errors import (
    HealthCheckFailed,
    NotRunning,
    PortTaken,
    RunnerUnavailable,
    StartFailed,
    StopFailed,
)
from gglib_desktop.domain.exits import ServerExit, StopRung
from gglib_desktop.domain.failures import FailureCause, cause_of_log, decisive_lines
from gglib_desktop.domain.foreign import ForeignServer
from gglib_desktop.domain.health import PROBE_TIMEOUT_S, Probe, ProbeResult, Usage
from gglib_desktop.domain.llama_args import (
    INSTANCE_VARIABLE,
    engine_environment,
    mtp_is_suppressed,
    openai_url,
    server_argv,
    shell_line,
)
from gglib_desktop.domain.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.domain.settings import DEFAULT_STOP_GRACE_S
from gglib_desktop.ports.server_monitor import LogChunk, ServerFacts
from gglib_desktop.tasks import LogReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.llama_client import LlamaClient

_log = logging.getLogger(__name__)
_FIRST_ANSWER_POLL_S = 0.005
_FIRST_ANSWER_S = 60.0
_STOLEN_PORT_TRIES = 5
_CLOSED = "the runner is closed"


@dataclass
class _Server:
    """One announced server. Kept after its end, so that its log and the reason stay known."""

    handle: ProcessHandle
    record: ServerRecord
    process: ServerProcess
    last_ok: int | None = None
    facts: ServerFacts | None = None


class LlamaServerRunner:
    """Runs llama-server processes that outlive this program and are found again by the next runner.

    ``engine`` gives the program to start, or raises ConfigurationError. ``stop_grace_s`` is asked at each stop.
    """

    def __init__(
        self,
        data_dir: Path,
        engine: Callable[[], Awaitable[Engine]],
        *,
        environment: Mapping[str, str],
        stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
    ) -> None:
        self._engine = engine
        self._environment = environment
        self._stop_grace_s = stop_grace_s
        self._lock = DataLock(data_dir)
        self._records = RecordStore(data_dir / "servers")
        self._logs = LogFolder(data_dir / "logs")
        self._foreign = ForeignProcesses(
            self._records, self._logs, ours=lambda: [s.record for s in self._running()], take_over=self._try_adopt
        )
        self._ports = PortAllocator()
        self._servers: dict[ProcessHandle, _Server] = {}
        self._stops: dict[ProcessHandle, asyncio.Task[None]] = {}
        self._scope = TaskScope(LogReporter())
        self._opening = asyncio.Lock()
        self._client: LlamaClient | None = None
        self._left = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends watchers and clients and gives the lock back. Servers go on."""
        self._left = True
        await self._scope.aclose()
        async with self._opening:
            self._forget_servers()
            client, self._client = self._client, None
            if client is not None:
                await client.aclose()
            self._lock.release()

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        await self._open()
        await asyncio.to_thread(check_model_file, config.model_path)
        engine = await self._engine()
        stolen: set[int] = set()
        for _attempt in range(_STOLEN_PORT_TRIES):
            ours = {server.handle.port for server in self._running()}
            port = await self._ports.choose(config, avoid=frozenset(stolen | ours))
            with self._ports.reserved(port):
                try:
                    return await self._start_on(config, engine, port)
                except PortTaken:
                    if config.port is not None:
                        raise
                    stolen.add(port)
        raise PortTaken(port, None)

    async def stop(self, handle: ProcessHandle) -> None:
        await self._open()
        server = self._server(handle)
        if handle not in self._stops:
            self._stops[handle] = self._scope.start(self._stop(server), name=f"stop {handle.pid}")
            self._stops[handle].add_done_callback(lambda _task: self._stops.pop(handle, None))
        # A caller that goes away does not leave a server half stopped.
        await asyncio.shield(self._stops[handle])

    async def is_running(self, handle: ProcessHandle) -> bool:
        await self._open()
        server = self._servers.get(handle)
        return server is not None and not server.process.poll()

    async def health(self, handle: ProcessHandle) -> ServerHealth:
        await self._open()
        server = self._server(handle)
        probe = await self.probe(handle, PROBE_TIMEOUT_S)
        self._server(handle)
        if probe.result is ProbeResult.OK and server.facts is None:
            await self.facts(handle)
        context_size = server.facts.context_size if server.facts else None
        healthy = probe.result is ProbeResult.OK
        return ServerHealth(healthy, server.last_ok, context_size, probe.message or None)

    async def list_running(self) -> Sequence[ProcessHandle]:
        await self._open()
        return sorted((s.handle for s in self._running()), key=lambda handle: (handle.started_at, handle.port))

    # -- ServerMonitor

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            return Probe(ProbeResult.REFUSED, "the process is gone")
        probe = await self._http.probe(handle.port, timeout_s)
        if probe.result is ProbeResult.OK:
            server.last_ok = int(time.time())
        return probe

    async def usage(self, handle: ProcessHandle) -> Usage | None:
        server = self._servers.get(handle)
        usage = server.process.usage() if server is not None else None
        return replace(usage, log_bytes=self._logs.size(server.record.run)) if server and usage else None

    async def facts(self, handle: ProcessHandle) -> ServerFacts | None:
        server = self._servers.get(handle)
        if server is not None and not server.process.has_exited:
            server.facts = await self._http.facts(handle.port) or server.facts
        return server.facts if server is not None else None

    async def busy_slots(self, handle: ProcessHandle) -> int | None:
        return await self._http.busy_slots(handle.port) if handle in self._servers else None

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        server = self._servers.get(handle)
        return await server.process.wait() if server is not None else ServerExit(None)

    async def kill(self, handle: ProcessHandle) -> None:
        server = self._servers.get(handle)
        if server is not None and not server.process.poll():
            await kill_process(server.process)
            await kill_leftovers(server.process)

    def endpoint(self, handle: ProcessHandle) -> str:
        return openai_url(handle.port)

    def config(self, handle: ProcessHandle) -> ServerConfig | None:
        server = self._servers.get(handle)
        return server.record.config if server is not None else None

    def command_line(self, handle: ProcessHandle) -> str:
        server = self._servers.get(handle)
        return server.record.command_line if server is not None else ""

    def log_name(self, handle: ProcessHandle) -> str:
        server = self._servers.get(handle)
        return server.record.run if server is not None else ""

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        return await asyncio.to_thread(self._logs.read, log_name, offset, limit_bytes)

    # -- ForeignServers

    async def list_foreign(self) -> Sequence[ForeignServer]:
        await self._open()
        return await self._foreign.find()

    async def adopt(
        self, server: ForeignServer, *, model_id: int | None = None, model_name: str | None = None
    ) -> ProcessHandle:
        await self._open()
        return await self._foreign.adopt(server, self._http, model_id=model_id, model_name=model_name)

    async def stop_foreign(self, server: ForeignServer) -> None:
        await self._open()
        await self._foreign.stop(server, grace_s=self._stop_grace_s())

    # -- starting

    async def _start_on(self, config: ServerConfig, engine: Engine, port: int) -> ProcessHandle:
        argv = server_argv(config, engine, port, mtp_suppressed=mtp_is_suppressed(self._environment))
        record = ServerRecord(run_name(config.model_name), config, port, shell_line(argv))
        self._records.write(record)
        _log.info("starting %s: %s", config.model_name, record.command_line)
        process: ServerProcess | None = None
        try:
            process = self._spawn(record, argv)
            record = record.replace(pid=process.pid, identity=process.identity, started_at=int(time.time()))
            self._records.write(record)
            await self._first_answer(process, record)
            self._check_not_left()
            record = record.replace(
                executable=processes.executable_of(process.pid), argv_hash=processes.argv_hash_of(process.pid)
            )
            self._records.write(record)
            return self._announce(record, process).handle
        except BaseException as exc:
            if process is not None:
                await self._abandon(process)
            self._records.delete(record.run)
            if isinstance(exc, asyncio.CancelledError):
                self._logs.remove(record.run)
            raise

    def _spawn(self, record: ServerRecord, argv: tuple[str, ...]) -> ServerProcess:
        environment = engine_environment(self._environment, frozen=getattr(sys, "frozen", False))
        environment[INSTANCE_VARIABLE] = record.run
        output_fd = self._logs.open_for_append(record.run)
        try:
            pid = processes.spawn(argv, environment, output_fd)
        finally:
            os.close(output_fd)
        # Our own child cannot lose its pid before we reap it, so an identity that cannot be read means: ended already.
        identity = processes.process_identity(pid) or f"ended:{pid}"
        return ServerProcess(pid, identity, tag=(INSTANCE_VARIABLE, record.run))

    async def _first_answer(self, process: ServerProcess, record: ServerRecord) -> None:
        """Returns when the process itself answers on its port. Raises StartFailed or PortTaken when it ends before."""
        deadline = time.monotonic() + _FIRST_ANSWER_S
        while not await process.exits_within(_FIRST_ANSWER_POLL_S):
            if time.monotonic() > deadline:
                raise HealthCheckFailed(f"the program runs but does not listen on port {record.port}")
            probe = await self._http.probe(record.port, PROBE_TIMEOUT_S)
            if probe.result is ProbeResult.REFUSED:
                continue
            # Whoever took the port a moment before us may answer in its place.
            if listens_on(process.pid, record.port) and not process.poll():
                return
        end = await process.wait()
        lines = await asyncio.to_thread(self._logs.last_lines, record.run)
        evidence = decisive_lines(lines)
        if cause_of_log(evidence) is FailureCause.PORT_TAKEN:
            raise PortTaken(record.port, await asyncio.to_thread(owner_of, record.port))
        raise StartFailed(
            f"the server ended before it answered ({end})",
            exit_status=end.status,
            log_lines=evidence,
            log_name=record.run,
        )

    async def _abandon(self, process: ServerProcess) -> None:
        """Leaves nothing of a start that failed or was cancelled, also when it is cancelled once more."""
        if not process.poll():
            process.send(signal.SIGKILL, StopRung.SIGKILL)
            ending = asyncio.ensure_future(process.exits_within(3.0))
            while not ending.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(ending)
        process.detach()

    def _announce(self, record: ServerRecord, process: ServerProcess) -> _Server:
        server = _Server(record.handle(), record, process)
        self._servers[server.handle] = server
        trimming = self._scope.start(self._logs.keep_trimmed(record.run, lambda: process.has_exited), name="trim log")
        process.on_exit(lambda: self._records.delete(record.run), trimming.cancel)
        return server

    # -- stopping

    async def _stop(self, server: _Server) -> None:
        try:
            await stop_process(server.process, port=server.handle.port, grace_s=self._stop_grace_s())
        except StopFailed:
            _log.warning("server %s survived every signal", server.handle)
            raise
        finally:
            await kill_leftovers(server.process)

    # -- opening and adopting

    async def _open(self) -> None:
        """Takes the lock and adopts what an earlier runner left, once."""
        async with self._opening:
            if self._client is not None:
                return
            self._check_not_left()
            self._lock.acquire()
            try:
                for record in await asyncio.to_thread(lambda: list(self._records.records())):
                    await self._adopt(record)
                await asyncio.to_thread(self._logs.prune, {server.record.run for server in self._servers.values()})
                # Importing the HTTP library takes 100 ms, so not on the loop, and not before the window is there.
                client = await asyncio.to_thread(importlib.import_module, "gglib_desktop.adapters.llama_client")
                self._check_not_left()
                self._client = client.LlamaClient()
            except BaseException:
                self._forget_servers()
                self._lock.release()
                raise

    def _forget_servers(self) -> None:
        for server in self._servers.values():
            server.process.forget()
        self._servers.clear()

    async def _adopt(self, record: ServerRecord) -> None:
        if record.pid is None:
            pid = await asyncio.to_thread(processes.find_tagged, INSTANCE_VARIABLE, record.run)
            identity = processes.process_identity(pid) if pid is not None else None
            record = record.replace(pid=pid, identity=identity, started_at=int(time.time()))
        server = self._try_adopt(record)
        if server is None:
            _log.info("the server of %s (pid %s) is gone", record.config.model_name, record.pid)
            self._records.delete(record.run)
        else:
            _log.info("adopted the server of %s, pid %s, port %s", record.config.model_name, record.pid, record.port)
            self._records.write(record)

    def _try_adopt(self, record: ServerRecord) -> _Server | None:
        self._check_not_left()
        if record.pid is None or record.identity is None or not record.is_alive():
            return None
        tag = (INSTANCE_VARIABLE, record.run)
        try:
            process = ServerProcess(record.pid, record.identity, tag=tag, owns_group=record.owns_group)
        except RunnerUnavailable:
            return None
        return self._announce(record, process)

    # -- small things

    @property
    def _http(self) -> LlamaClient:
        if self._client is None:
            raise RunnerUnavailable(_CLOSED)
        return self._client

    def _check_not_left(self) -> None:
        if self._left:
            raise RunnerUnavailable(_CLOSED)

    def _running(self) -> list[_Server]:
        return [server for server in self._servers.values() if not server.process.poll()]

    def _server(self, handle: ProcessHandle) -> _Server:
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            raise NotRunning(f"no server of {handle.model_name} with pid {handle.pid} runs on port {handle.port}")
        return server
