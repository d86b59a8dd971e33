"""Servers on this computer: real llama-server processes."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gglib_desktop.adapters.keys.key_store import KEY_FILE, KeptKey
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.runners.behind import Started
from gglib_desktop.adapters.runners.client_names import ClientNames
from gglib_desktop.adapters.runners.data_lock import DataLock
from gglib_desktop.adapters.runners.foreign import ForeignProcesses
from gglib_desktop.adapters.runners.gpu_use import computes_without_gpu
from gglib_desktop.adapters.runners.leftovers import continued, end_all, leftovers, still_there
from gglib_desktop.adapters.runners.lookups import ServerLookups
from gglib_desktop.adapters.runners.port_allocator import PortAllocator
from gglib_desktop.adapters.runners.port_owners import Family
from gglib_desktop.adapters.runners.preflight import check_start, engine_for
from gglib_desktop.adapters.runners.processes import ServerProcess
from gglib_desktop.adapters.runners.records import ProcessMatch, RecordStore, ServerRecord, run_name
from gglib_desktop.adapters.runners.rest import Rest
from gglib_desktop.adapters.runners.running import RunningServer, key_asked_by
from gglib_desktop.adapters.runners.start import abandon, first_answer, spawn_server
from gglib_desktop.adapters.runners.stop_ladder import kill_process, stop_process
from gglib_desktop.domain.documents.settings import DEFAULT_STOP_GRACE_S
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.environment import INSTANCE_VARIABLE, mtp_is_suppressed
from gglib_desktop.domain.errors import NotRunning, PortTaken, RunnerUnavailable, StopFailed
from gglib_desktop.domain.llama_cpp.argv import server_argv
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.exits import ServerExit
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, Probe, ProbeResult, Usage
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.server_monitor import LogChunk
from gglib_desktop.tasks import LogReporter, TaskScope

if TYPE_CHECKING:
    from gglib_desktop.adapters.engines.llama_cpp.client import LlamaClient

_log = logging.getLogger(__name__)
_STOLEN_PORT_TRIES = 5
_THREADS = 3
_CLOSED = "the runner is closed"


class LlamaServerRunner(ServerLookups[RunningServer]):
    """Runs llama-server processes that outlive this program and are found again by the next runner.

    ``engine`` gives the program to start, or raises ConfigurationError. ``stop_grace_s`` is asked at each stop.
    ``keys`` keeps the key that some servers ask for; without it, a file in the data directory does.
    """

    def __init__(
        self,
        data_dir: Path,
        engine: Callable[[], Awaitable[Engine]],
        *,
        environment: Mapping[str, str],
        stop_grace_s: Callable[[], float] = lambda: DEFAULT_STOP_GRACE_S,
        keys: KeyStore | None = None,
    ) -> None:
        super().__init__()
        self._keys = keys or KeptKey(data_dir / KEY_FILE)
        self._engine = engine
        self._environment = environment
        self._stop_grace_s = stop_grace_s
        # Supervision does not wait behind files on a dead network share, which take up the loop's threads.
        self._threads = Threads(_THREADS)
        self._lock = DataLock(data_dir)
        self._records = RecordStore(data_dir / "servers")
        self._logs = LogFolder(data_dir / "logs")
        self._foreign = ForeignProcesses(data_dir, self._logs, ours=self._ours, take_over=self._take_over)
        self._names = ClientNames(self._ours)
        self._ports = PortAllocator(self._threads.run)
        self._undead: dict[str, ServerProcess] = {}
        self._stops: dict[ProcessHandle, asyncio.Task[None]] = {}
        self._scope = TaskScope(LogReporter())
        self._opening = asyncio.Lock()
        self._client: LlamaClient | None = None
        self._left = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_reason: object) -> None:
        """Ends watchers and clients and gives the lock back. Servers go on."""
        self._left = True
        await self._scope.aclose()
        async with self._opening:
            self._forget_servers()
            client, self._client = self._client, None
            if client is not None:
                await client.aclose()
            # Nothing may touch the data directory once another instance may have it.
            await self._threads.aclose()
            self._lock.release()

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        await self._open()
        engine = await engine_for(config, self._engine)
        key = await self._keys.key() if needs_key(config) else None
        stolen: set[int] = set()
        for _attempt in range(_STOLEN_PORT_TRIES):
            port = await self._ports.choose(config, avoid=stolen | {s.handle.port for s in self._running()})
            with self._ports.reserved(port), self._names.named(config) as named:
                argv = server_argv(named, engine, port, mtp_suppressed=mtp_is_suppressed(self._environment))
                try:
                    return await self._start_on(config, argv, port, key)
                except PortTaken:
                    if config.port is not None:
                        raise
                    stolen.add(port)
        raise PortTaken(port, None)

    async def stop(self, handle: ProcessHandle) -> None:
        await self._open()
        ended_in_part = handle in self._servers and self._servers[handle].rest.may_be_tried_again()
        server = self._servers[handle] if ended_in_part else self._server(handle)
        if handle not in self._stops:
            self._stops[handle] = self._scope.start(self._stop(server), name=f"stop {handle.pid}")
            self._stops[handle].add_done_callback(lambda _task: self._stops.pop(handle, None))
        # A caller that goes away does not leave a server half stopped.
        await asyncio.shield(self._stops[handle])

    async def is_running(self, handle: ProcessHandle) -> bool:
        await self._open()
        return any(server.handle == handle for server in self._running())

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

    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        await self._open()
        await check_start(config, self._engine, self._ports, self._keys, self._environment, freed=instead_of.port)

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        server = self._servers.get(handle)
        if server is None or (server.process.poll() and not server.rest.serves):
            return Probe(ProbeResult.REFUSED, "the process is gone")
        probe = await self._http.probe(server.address, timeout_s)
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
            log = await self._threads.run(self._logs.beginning, server.record.run)
            wants_key = server.facts is not None and server.facts.wants_key
            facts = await self._http.facts(server.address, log, wants_key=wants_key)
            if facts is not None and facts.gpu_layers is None and not server.process.has_exited:
                without = computes_without_gpu(server.process.pid, server.record.command_line)
                facts = replace(facts, gpu_layers=0 if without else None)
            server.facts = facts or server.facts
        return server.facts if server is not None else None

    async def busy_slots(self, handle: ProcessHandle) -> int | None:
        server = self._servers.get(handle)
        return await self._http.busy_slots(server.address) if server is not None else None

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        server = self._servers.get(handle)
        if server is None:
            return ServerExit(None)
        end = await server.process.wait()
        await server.rest.over()
        return end

    async def kill(self, handle: ProcessHandle) -> None:
        server = self._servers.get(handle)
        if server is not None and not server.process.poll():
            await kill_process(server.process)
            await server.rest.ended()

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        return await self._threads.run(self._logs.read, log_name, offset, limit_bytes)

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

    async def _start_on(self, config: ServerConfig, argv: tuple[str, ...], port: int, key: str | None) -> ProcessHandle:
        record = ServerRecord(run_name(config.model_name), config, port, shell_line(argv))
        self._records.write(record)
        _log.info("starting %s: %s", config.model_name, record.command_line)
        process: ServerProcess | None = None
        try:
            process = await spawn_server(
                argv, self._environment, self._logs, record.run, self._threads.run, port=port, key=key
            )
            record = record.replace(pid=process.pid, identity=process.identity, started_at=int(time.time()))
            self._records.write(record)
            started = Started(record, process.created_at, argv[1:])
            behind = await first_answer(process, started, lambda: self._http, self._logs, self._threads.run)
            record = (await self._threads.run(record.described, process.pid)).replace(behind=behind)
            self._check_not_left()
            self._records.write(record)
            return self._announce(record, process, key).handle
        except BaseException as exc:
            if process is None or await abandon(
                process, Started(record, process.created_at, argv[1:]), self._threads.run
            ):
                self._records.delete(record.run)
            else:
                self._keep_watch(record.run, process)
            if isinstance(exc, asyncio.CancelledError):
                self._logs.remove(record.run)
            raise

    def _keep_watch(self, run: str, process: ServerProcess) -> None:
        """Of one that is not wanted and cannot be ended, so that it is reaped and its record is known until then."""
        _log.warning("process %s of a start that failed cannot be ended; its port and memory stay in use", process.pid)
        if self._left:
            process.forget()
            return
        self._undead[run] = process
        process.on_exit(lambda: self._records.delete(run), lambda: self._undead.pop(run))

    def _announce(self, record: ServerRecord, process: ServerProcess, key: str | None) -> RunningServer:
        rest = Rest(
            process,
            record,
            self._records,
            scope=self._scope,
            in_thread=self._threads.run,
            grace_s=self._stop_grace_s,
        )
        server = RunningServer(record.handle(), record, process, rest, key)
        self._servers[server.handle] = server
        process.on_exit(rest.begin)
        return server

    # -- stopping

    async def _stop(self, server: RunningServer) -> None:
        try:
            await stop_process(server.process, port=server.handle.port, grace_s=self._stop_grace_s())
        except StopFailed as exc:
            _log.warning("server %s goes on: %s", server.handle, exc)
            raise
        await server.rest.ended()

    # -- opening and adopting

    async def _open(self) -> None:
        """Takes the lock and adopts what an earlier runner left, once."""
        async with self._opening:
            if self._client is not None:
                return
            self._check_not_left()
            with contextlib.ExitStack() as undo:
                self._lock.acquire()
                undo.callback(self._lock.release)
                undo.callback(self._forget_servers)
                for record in await self._threads.run(lambda: list(self._records.records())):
                    await self._adopt(record)
                await self._threads.run(self._logs.prune, {server.record.run for server in self._servers.values()})
                # Importing the HTTP library takes 100 ms, so not on the loop, and not before the window is there.
                client = await self._threads.run(
                    importlib.import_module, "gglib_desktop.adapters.engines.llama_cpp.client"
                )
                self._check_not_left()
                self._client = client.LlamaClient()
                undo.pop_all()
        trimming = self._logs.keep_trimmed(lambda: [s.record.run for s in self._running()], in_thread=self._threads.run)
        self._scope.start(trimming, name="trim logs")

    def _forget_servers(self) -> None:
        for process in (*(server.process for server in self._servers.values()), *self._undead.values()):
            process.forget()
        for server in self._servers.values():
            server.rest.forget()
        self._servers.clear()
        self._undead.clear()

    async def _adopt(self, record: ServerRecord) -> None:
        """Makes a recorded server one of ours, if it still runs. Where that cannot be told its record stays."""
        tagged: Sequence[tuple[int, str]] = ()
        try:
            likeness = await self._threads.run(record.likeness)
            if likeness is ProcessMatch.CHANGED:
                _log.warning("pid %s runs something else than the server of %s", record.pid, record.config.model_name)
                self._records.set_aside(record.run)
                self._lost += record.lost()
                return
            if likeness is ProcessMatch.GONE:
                tagged = await self._threads.run(still_there, record)
                record = await self._threads.run(continued, record, tagged)
            process = self._take_over(record, await key_asked_by(record, self._keys, self._threads.run)).process
        except NotRunning:
            _log.info("the server of %s (pid %s) is gone", record.config.model_name, record.pid)
            self._lost += record.lost()
            left = leftovers(record, tagged)
            if left:
                self._scope.start(self._end_leftovers(record, left), name="end leftovers")
            else:
                self._records.delete(record.run)
            return
        except (RunnerUnavailable, OSError) as exc:
            self._check_not_left()
            _log.warning("cannot adopt the server of %s (pid %s): %s", record.config.model_name, record.pid, exc)
            return
        _log.info("adopted the server of %s, pid %s, port %s", record.config.model_name, record.pid, record.port)
        self._records.rewrite(record)
        family = await self._threads.run(Family.of, process.pid, record.port)
        process.count_in(family.members[1:] if family is not None else ())

    async def _end_leftovers(self, record: ServerRecord, left: Sequence[tuple[int, str]]) -> None:
        """Its record stays until they have ended, for the next runner should this one be left before."""
        pids = [pid for pid, _identity in left]
        name = record.config.model_name
        _log.warning("the server of %s (pid %s) left %s, which do not serve: ending them", name, record.pid, pids)
        await end_all(left, port=record.port, grace_s=self._stop_grace_s())
        self._records.delete(record.run)

    def _take_over(self, record: ServerRecord, key: str | None) -> RunningServer:
        """Makes a process that runs already one of ours. Raises: NotRunning, RunnerUnavailable."""
        self._check_not_left()
        assert record.pid is not None
        assert record.identity is not None
        tag = (INSTANCE_VARIABLE, record.run)
        process = ServerProcess(record.pid, record.identity, tag=tag, group=record.own_group, port=record.port)
        if process.poll():
            raise NotRunning(f"process {record.pid} is gone")
        return self._announce(record, process, key)

    # -- small things

    @property
    def _http(self) -> LlamaClient:
        if self._client is None:
            raise RunnerUnavailable(_CLOSED)
        return self._client

    def _check_not_left(self) -> None:
        if self._left:
            raise RunnerUnavailable(_CLOSED)

    def _running(self) -> list[RunningServer]:
        return [server for server in self._servers.values() if not server.process.poll()]

    def _ours(self) -> list[ServerRecord]:
        return [server.record for server in self._running()]

    def _server(self, handle: ProcessHandle) -> RunningServer:
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            raise NotRunning(f"no server of {handle.model_name} with pid {handle.pid} runs on port {handle.port}")
        return server
