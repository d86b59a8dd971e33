"""The process runner: it writes down what it starts, and finds it again. Where and what runs it leaves to others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from typing_extensions import override

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.stop_ladder import kill_process, stop_process
from gglib_desktop.adapters.records.data_lock import DataLock
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.adopting import record_of, usable_address
from gglib_desktop.adapters.runner.announced_servers import AnnouncedServer, Rest, Site
from gglib_desktop.adapters.runner.client_names import ClientNames
from gglib_desktop.adapters.runner.first_start import abandon, first_answer
from gglib_desktop.adapters.runner.servers_at_work import ServersAtWork
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import NotRunning, PortTaken, RunnerUnavailable, StopFailed
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord, run_name
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from gglib_desktop.ports.servers.place import Command, Finding, PlacedProcess, Strangers
from gglib_desktop.ports.servers.server_monitor import LostServer, UnreachableServer
from gglib_desktop.tasks import LogReporter, TaskScope

_log = logging.getLogger(__name__)
RECORDS = "servers"
_STOLEN_PORT_TRIES = 5
_CLOSED = "the runner is closed"


@dataclass
class _Ports:
    """Each port belongs to one start at a time."""

    choosing: asyncio.Lock = field(default_factory=asyncio.Lock)
    reserved: set[int] = field(default_factory=set)


@dataclass
class _State:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    adopting: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_open: bool = False
    left: bool = False


class RecordedRunner(ServersAtWork):
    """Runs servers that outlive this program. The next runner over the same data directory finds them again.

    ``sites`` are the places by their ids, the runner's own one first. ``stop_grace_s`` is asked at each stop. ``keys``
    keeps the key that some servers ask for.
    """

    def __init__(
        self,
        data_dir: Path,
        sites: Mapping[str, Site],
        *,
        threads: Threads,
        stop_grace_s: Callable[[], float],
        keys: KeyStore,
    ) -> None:
        super().__init__(sites)
        self._threads = threads
        self._stop_grace_s = stop_grace_s
        self._keys = keys
        self._lock = DataLock(data_dir)
        self._records = RecordStore(data_dir / RECORDS)
        self._names = ClientNames(self._names_of_running)
        self._ports = _Ports()
        self._undead: dict[str, PlacedProcess] = {}
        self._stops: dict[ProcessHandle, asyncio.Task[None]] = {}
        self._scope = TaskScope(LogReporter())
        self._state = _State()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_reason: object) -> None:
        """Ends watchers and clients and gives the lock back. Servers go on."""
        self._state.left, self._state.is_open = True, False
        await self._scope.aclose()
        async with self._state.opening:
            self._forget_servers()
            for site in self._sites.values():
                await site.aclose()
            # The data directory may be another instance's from now on.
            await self._threads.aclose()
            self._lock.release()

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        await self._open()
        site, driver, engine = await self._engine_for(config)
        key = await self._keys.key() if needs_key(config) else None
        stolen: set[int] = set()
        for _attempt in range(_STOLEN_PORT_TRIES):
            async with self._port_for(site, config, stolen) as port:
                with self._names.named(config) as named:
                    record = self._planned(config, port)
                    environment = site.place.environment
                    host = site.place.listens_on(record.run, config)
                    argv = driver.command(named, engine, port, host=host, environment=environment)
                    shown = shell_line(argv, driver.reader.key_flags)
                    command = Command(argv, driver.environment(environment, key))
                    try:
                        return await self._start(site, record.replace(command_line=shown), command, key)
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
        healthy = probe.result is ProbeResult.OK
        if healthy and server.facts is None:
            await self.facts(handle)
        context_size = server.facts.context_size if server.facts else None
        return ServerHealth(healthy, server.last_ok, context_size, probe.message or None)

    async def list_running(self) -> Sequence[ProcessHandle]:
        await self._open()
        return sorted((s.handle for s in self._running()), key=lambda handle: (handle.started_at, handle.port))

    # -- ServerMonitor, beside what its bases have

    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        await self._open()
        site, driver, engine = await self._engine_for(config)
        port, environment = config.port or config.base_port, site.place.environment
        driver.command(config, engine, port, host=config.host, environment=environment)
        others = {server.handle.port for server in self._running() if server.handle != instead_of}
        await site.place.choose_port(config, avoid=others, freed=instead_of.port)
        if needs_key(config):
            await self._keys.key()

    async def kill(self, handle: ProcessHandle) -> None:
        await self._open()
        server = self._servers.get(handle)
        if server is not None and not server.process.poll():
            await kill_process(server.process)
            await server.rest.ended()

    # -- ForeignServers

    async def list_foreign(self) -> Sequence[ForeignServer]:
        await self._open()
        found: list[ForeignServer] = []
        for site in self._sites.values():
            if site.place.strangers is not None:
                found += await site.place.strangers.find(self._records_of_running(), site.readers)
        # Asked afterwards: one may have been taken over while the search ran.
        return [server for server in found if self._own_record(server) is None]

    async def adopt(
        self, server: ForeignServer, *, model_id: int | None = None, model_name: str | None = None
    ) -> ProcessHandle:
        await self._open()
        async with self._state.adopting:
            known = self._own_record(server)
            if known is not None:
                return known.handle()
            driver, strangers = self._of_stranger(server)
            address = await usable_address(driver, strangers, server)
            record = await record_of(driver, server, address, model_id=model_id, model_name=model_name)

            def begin(record: ServerRecord, process: PlacedProcess) -> None:
                self._check_not_left()
                self._records.write(record)
                self._announce(record, process, address.key)

            await strangers.take_over(server, record, begin)
            return record.handle()

    async def stop_foreign(self, server: ForeignServer) -> None:
        await self._open()
        _driver, strangers = self._of_stranger(server)
        await strangers.stop(server, self._stop_grace_s())

    # -- starting

    async def _engine_for(self, config: ServerConfig) -> tuple[Site, EngineDriver, Engine]:
        """Where a configuration is served, and by which program. Raises: ConfigurationError."""
        site = self._sites[self._place_of(config)]
        driver = site.driver(config.engine)
        await site.place.check_model(config.model_path)
        return site, driver, await driver.engine()

    @asynccontextmanager
    async def _port_for(self, site: Site, config: ServerConfig, stolen: set[int]) -> AsyncIterator[int]:
        """A port that no other start has, until the server listens or the start has failed."""
        ours = {server.handle.port for server in self._running()}
        async with self._ports.choosing:
            if config.port in self._ports.reserved:
                raise PortTaken(config.port, "a server that is starting")
            port = await site.place.choose_port(config, avoid=stolen | ours | self._ports.reserved)
            self._ports.reserved.add(port)
        try:
            yield port
        finally:
            self._ports.reserved.discard(port)

    def _planned(self, config: ServerConfig, port: int) -> ServerRecord:
        run = run_name(config.model_name)
        place = self._place_of(config)
        engine = self._sites[place].engine(config.engine)
        return ServerRecord(run, config.alias_moved(), port, "", place=place, engine=engine)

    async def _start(self, site: Site, record: ServerRecord, command: Command, key: str | None) -> ProcessHandle:
        self._records.write(record)
        _log.info("starting %s: %s", record.config.model_name, record.command_line)
        process: PlacedProcess | None = None
        try:
            process = await site.place.spawn(record, command)
            record = record.replace(pid=process.pid, identity=process.identity, started_at=int(time.time()))
            self._records.write(record)
            record = await first_answer(process, record, site.place, site.driver(record.engine))
            self._check_not_left()
            self._records.write(record)
            return self._announce(record, process, key).handle
        except BaseException as exc:
            if process is None or await abandon(process, record, site.place):
                self._records.delete(record.run)
            else:
                self._keep_watch(record.run, process)
            if isinstance(exc, asyncio.CancelledError):
                await site.place.logs.remove(record.run)
            raise

    def _keep_watch(self, run: str, process: PlacedProcess) -> None:
        """Of one that is not wanted and cannot be ended, so that it is reaped and its record is known until then."""
        _log.warning("process %s of a start that failed cannot be ended; its port and memory stay in use", process.pid)
        if self._state.left:
            process.forget()
            return
        self._undead[run] = process
        process.on_exit(lambda: self._records.delete(run), lambda: self._undead.pop(run))

    def _announce(self, record: ServerRecord, process: PlacedProcess, key: str | None) -> AnnouncedServer:
        site = self._sites[record.place]
        driver = site.driver(record.engine)
        rest = Rest(process, record, site.place, self._records, scope=self._scope, grace_s=self._stop_grace_s)
        server = AnnouncedServer(record.handle(), record, site.place, driver, process, rest, key)
        self._servers[server.handle] = server
        process.on_exit(rest.begin)
        return server

    # -- stopping

    async def _stop(self, server: AnnouncedServer) -> None:
        place, record = server.place, server.record
        try:
            await stop_process(server.process, is_free=lambda: place.is_free(record), grace_s=self._stop_grace_s())
        except StopFailed as exc:
            _log.warning("server %s goes on: %s", server.handle, exc)
            raise
        await server.rest.ended()

    # -- opening and finding again

    @override
    async def _open(self) -> None:
        """Takes the lock first."""
        async with self._state.opening:
            if self._state.is_open:
                return
            self._check_not_left()
            with contextlib.ExitStack() as undo:
                self._lock.acquire()
                undo.callback(self._lock.release)
                undo.callback(self._forget_servers)
                for record in await self._threads.run(lambda: list(self._records.records())):
                    await self._find(record)
                kept = {record.run for record in self._records_of_running()}
                kept |= {server.log_name for server in self._unreachable} | set(await self._unread_logs())
                for site in self._sites.values():
                    await site.place.logs.prune(kept)
                    await site.open()
                self._check_not_left()
                self._state.is_open = True
                undo.pop_all()
        for site in self._sites.values():
            self._scope.start(site.place.logs.keep_trimmed(self._growing_logs), name="trim logs")

    @override
    def _check_open(self) -> None:
        self._check_not_left()
        if not self._state.is_open:
            raise RunnerUnavailable("the runner has not looked for its servers yet")

    def _forget_servers(self) -> None:
        for process in (*(server.process for server in self._servers.values()), *self._undead.values()):
            process.forget()
        for server in self._servers.values():
            server.rest.forget()
        self._servers.clear()
        self._undead.clear()
        self._unreachable.clear()

    async def _find(self, record: ServerRecord) -> None:
        """Makes a recorded server one of ours, if it still runs. Where that cannot be told its record stays."""
        site, name = self._sites.get(record.place), record.config.model_name
        if site is None or (record.engine or site.engine(None)) not in site.drivers:
            config = record.config.replace(place=record.place)
            self._unreachable.append(UnreachableServer(config, record.command_line, record.run))
            return
        try:
            found = await site.place.find(record, site.driver(record.engine).reader)
            if found.process is None:
                self._has_gone(record, found)
                return
            key = await self._key_of(found)
        except (RunnerUnavailable, OSError) as exc:
            self._check_not_left()
            _log.warning("cannot adopt the server of %s (pid %s): %s", name, record.pid, exc)
            return
        if self._state.left:
            found.process.forget()
        self._check_not_left()
        server = self._announce(found.record, found.process, key)
        _log.info("adopted the server of %s, pid %s, port %s", name, server.record.pid, server.record.port)
        self._records.rewrite(server.record)

    async def _key_of(self, found: Finding) -> str | None:
        """The key of a server that runs; it may be an earlier one than the one that is kept now."""
        config = found.record.config
        if found.key is None and found.record.owns_group and needs_key(config):
            with contextlib.suppress(RunnerUnavailable):
                return await self._keys.key()
        return found.key

    def _has_gone(self, record: ServerRecord, found: Finding) -> None:
        name = record.config.model_name
        if record.identity is not None and found.absence is not None:  # it ran
            self._lost.append(LostServer(record.config, record.command_line, record.run, found.absence))
        if found.changed:
            _log.warning("pid %s runs something else than the server of %s", record.pid, name)
            self._records.set_aside(record.run)
        elif found.end_rest is not None:
            self._scope.start(self._end_rest(record.run, found.end_rest), name="end leftovers")
        else:
            _log.info("the server of %s (pid %s) is gone", name, record.pid)
            self._records.delete(record.run)

    async def _end_rest(self, run: str, end_rest: Callable[[float], Awaitable[None]]) -> None:
        """The record stays until they have ended, for the next runner in case this one is left before."""
        await end_rest(self._stop_grace_s())
        self._records.delete(run)

    # -- small things

    def _of_stranger(self, server: ForeignServer) -> tuple[EngineDriver, Strangers]:
        site = self._sites.get(server.place)
        if site is None or site.place.strangers is None:
            raise NotRunning(f"process {server.pid} is gone")
        return site.driver(server.engine), site.place.strangers

    def _own_record(self, server: ForeignServer) -> ServerRecord | None:
        chosen = (server.pid, server.identity)
        return next((record for record in self._records_of_running() if chosen in record.processes()), None)

    def _check_not_left(self) -> None:
        if self._state.left:
            raise RunnerUnavailable(_CLOSED)
