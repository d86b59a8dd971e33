"""The process runner: it writes down what it starts, and finds it again. Where and what runs it leaves to others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from typing_extensions import override

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.stop_ladder import kill_process, stop_process
from gglib_desktop.adapters.records.data_lock import DataLock
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.adopting import record_of, usable_address
from gglib_desktop.adapters.runner.announced_servers import AnnouncedServer, Site
from gglib_desktop.adapters.runner.client_names import ClientNames
from gglib_desktop.adapters.runner.first_start import abandon, first_answer
from gglib_desktop.adapters.runner.found_servers import FoundServers
from gglib_desktop.domain.engine.capabilities import Engine
from gglib_desktop.domain.errors import NotRunning, PortTaken, RunnerUnavailable, StopFailed
from gglib_desktop.domain.options.arguments import shell_line
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord, run_name
from gglib_desktop.domain.servers.router.kind import is_router, stop_grace_s
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig, ServerHealth
from gglib_desktop.domain.servers.split.kind import is_worker
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.engine_driver import EngineDriver
from gglib_desktop.ports.servers.place import Command, Outage, PlacedProcess, Strangers

_log = logging.getLogger(__name__)
RECORDS = "servers"
_STOLEN_PORT_TRIES = 5
# For other places than the runner's own, which may not answer.
_STRANGERS_S = 5.0
_LEAVE_S = 8.0


@dataclass
class _Ports:
    """Each port belongs to one start at a time."""

    choosing: asyncio.Lock = field(default_factory=asyncio.Lock)
    reserved: dict[int, str] = field(default_factory=dict)  # the place for which


class RecordedRunner(FoundServers):
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
        records = RecordStore(data_dir / RECORDS)
        super().__init__(sites, records=records, threads=threads, stop_grace_s=stop_grace_s, keys=keys)
        self._lock = DataLock(data_dir)
        self._names = ClientNames(self._names_of_running)
        self._ports = _Ports()
        self._stops: dict[ProcessHandle, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_reason: object) -> None:
        """Ends watchers and clients and gives the lock back. Servers go on."""
        self._state.left, self._state.is_open = True, False
        await self._scope.aclose()
        async with self._state.opening:
            self._forget_servers()
            await asyncio.gather(*(self._leave(place_id, site) for place_id, site in self._sites.items()))
            # The data directory may be another instance's from now on.
            await self._threads.aclose()
            self._lock.release()

    async def _leave(self, place_id: str, site: Site) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if place_id == self._own else _LEAVE_S):
                await site.aclose()

    # -- ProcessRunner

    async def start(self, config: ServerConfig) -> ProcessHandle:
        await self._open()
        return (await self._started(config)).handle

    async def _started(self, config: ServerConfig, workers: Sequence[AnnouncedServer] = ()) -> AnnouncedServer:
        """``workers`` are those of a head."""
        site, driver, engine = await self._engine_for(config)
        key = await self._keys.key() if needs_key(config) else None
        stolen: set[int] = set()
        for _attempt in range(_STOLEN_PORT_TRIES):
            async with self._port_for(site, config, stolen) as port:
                with self._names.named(config) as named:
                    record = self._planned(config, port)
                    environment = site.place.environment
                    host, there = site.place.listens_on(record.run, config, port)
                    argv = driver.command(named, engine, there, host=host, environment=environment)
                    if workers and driver.split is not None:
                        argv = driver.split.with_workers(argv, [worker.reached_at for worker in workers])
                        record = record.replace(workers=tuple(worker.record.run for worker in workers))
                    shown = shell_line(argv, driver.reader.key_flags)
                    command = Command(argv, driver.environment(environment, key), driver.links(named))
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
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            return False
        if (outage := server.place.outage) is not None:
            raise RunnerUnavailable(_lost(handle.place, outage))
        return True

    async def health(self, handle: ProcessHandle) -> ServerHealth:
        await self._open()
        server = self._server(handle)
        probe = await self.probe(handle, PROBE_TIMEOUT_S)
        self._server(handle)
        healthy = probe.result is ProbeResult.OK
        if healthy and server.facts is None:
            await self.facts(handle)
        context_size = server.facts.context_size if server.facts else None
        message = probe.message
        if probe.result is ProbeResult.UNREACHABLE:
            message = _lost(handle.place, Outage(probe.since, probe.message))
        return ServerHealth(healthy, server.last_ok, context_size, message or None)

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

    async def engine_at(self, place: str, engine: str | None) -> Engine:
        await self._open()
        site = self._sites.get(place)
        if site is None:
            raise RunnerUnavailable(f"the place {place} is not open")
        return await site.driver(engine).engine()

    # -- ForeignServers

    async def list_foreign(self) -> Sequence[ForeignServer]:
        await self._open()
        found: list[ForeignServer] = []
        for place_id, site in tuple(self._sites.items()):
            found += await self._strangers_at(place_id, site)
        # Asked afterwards: one may have been taken over while the search ran.
        return [server for server in found if self._own_record(server) is None]

    async def _strangers_at(self, place_id: str, site: Site) -> Sequence[ForeignServer]:
        """None where another place than the runner's own does not answer."""
        if site.place.strangers is None:
            return ()
        limit_s = None if place_id == self._own else _STRANGERS_S
        try:
            async with asyncio.timeout(limit_s):
                found = await site.place.strangers.find(self._records_of_running(), site.readers)
                return [replace(each, place=place_id) for each in found]
        except (RunnerUnavailable, TimeoutError) as exc:
            if place_id == self._own:
                raise
            _log.warning("cannot look for other servers at %s: %s", place_id, exc)
            return ()

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
        if not is_worker(config):
            await site.place.check_model(config.model_path)
        engine = await driver.engine()
        if is_worker(config):  # its head sends it its part of the model; the look is what a place begins with
            await site.place.check_model(engine.path)
        return site, driver, engine

    @asynccontextmanager
    async def _port_for(self, site: Site, config: ServerConfig, stolen: set[int]) -> AsyncIterator[int]:
        """A port that no other start has, until the server listens or the start has failed."""
        ours = {server.handle.port for server in self._running()}
        async with self._ports.choosing:
            if config.port in self._ports.reserved:
                raise PortTaken(config.port, "a server that is starting")
            port = await site.place.choose_port(config, avoid=stolen | ours | self._ports.reserved.keys())
            self._ports.reserved[port] = self._place_of(config)
        try:
            yield port
        finally:
            self._ports.reserved.pop(port)

    def _planned(self, config: ServerConfig, port: int) -> ServerRecord:
        run = run_name(config.model_name)
        place = self._place_of(config)
        engine = self._sites[place].engine(config.engine)
        return ServerRecord(run, config.alias_moved(), port, "", place=place, engine=engine)

    async def _start(self, site: Site, record: ServerRecord, command: Command, key: str | None) -> AnnouncedServer:
        self._records.write(record)
        self._log_places[record.run] = record.place
        _log.info("starting %s: %s", record.config.model_name, record.command_line)
        process: PlacedProcess | None = None
        try:
            process = await site.place.spawn(record, command)
            record = record.replace(pid=process.pid, identity=process.identity, started_at=int(time.time()))
            self._records.write(record)
            record = await first_answer(process, record, site.place, site.driver(record.engine))
            self._check_not_left()
            self._records.write(record)
            return self._announce(record, process, key)
        except BaseException as exc:
            if process is not None and not await abandon(process, record, site.place):
                self._keep_watch(record, process)
            elif process is not None or not await self._may_run(site, record, exc):
                self._records.delete(record.run)
            if isinstance(exc, asyncio.CancelledError):
                await site.place.logs.remove(record.run)
            raise

    async def _may_run(self, site: Site, record: ServerRecord, exc: BaseException) -> bool:
        """A place that does not answer may have started it all the same. Then the next runner looks for it."""
        if not isinstance(exc, RunnerUnavailable):
            return False
        try:
            found = await site.place.find(record, site.driver(record.engine).reader)
        except RunnerUnavailable:
            return not self._state.left
        if found.process is not None:
            found.process.forget()
        return found.process is not None

    @override
    def _is_in_use(self, place_id: str) -> bool:
        return super()._is_in_use(place_id) or place_id in self._ports.reserved.values()

    # -- stopping

    async def _stop(self, server: AnnouncedServer) -> None:
        place, record = server.place, server.record
        grace_s = stop_grace_s(record.config, self._stop_grace_s())

        async def is_free() -> bool:
            # A router that does nothing waits for its models, and ends those that hang itself.
            return not is_router(record.config) and await place.is_free(record)

        try:
            await stop_process(server.process, is_free=is_free, grace_s=grace_s)
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
                recorded: dict[str, list[ServerRecord]] = {each: [] for each in self._sites}
                for record in await self._threads.run(lambda: list(self._records.records())):
                    if record.place in recorded:
                        recorded[record.place].append(record)
                    if record.place in recorded and record.place != self._own:
                        self._cannot_reach(record)
                    else:
                        await self._find(record)
                kept = {record.run for record in self._records_of_running()}
                kept |= self._unreachable.keys() | set(await self._unread_logs())
                await self._sites[self._own].place.logs.prune(kept)
                for site in self._sites.values():
                    await site.open()
                self._check_not_left()
                self._state.is_open = True
                undo.pop_all()
            recorded[self._own] = [each for each in recorded[self._own] if each.run in self._unreachable]
            for place_id, there in recorded.items():
                self._tend(place_id, there)

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

    # -- small things

    def _of_stranger(self, server: ForeignServer) -> tuple[EngineDriver, Strangers]:
        site = self._sites.get(server.place)
        if site is None or site.place.strangers is None:
            raise NotRunning(f"process {server.pid} is gone")
        return site.driver(server.engine), site.place.strangers

    def _own_record(self, server: ForeignServer) -> ServerRecord | None:
        chosen = (server.pid, server.identity)
        return next((record for record in self._records_of_running() if chosen in record.processes()), None)


def _lost(place: str, outage: Outage) -> str:
    since = time.strftime("%H:%M", time.localtime(outage.since))
    return f"{place} cannot be reached since {since}: {outage.reason}"
