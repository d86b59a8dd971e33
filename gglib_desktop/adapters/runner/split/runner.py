"""The runner that also serves one model over several computers: a head here, and a worker at each of other places."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from typing_extensions import override

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.stop_ladder import kill_process
from gglib_desktop.adapters.runner.announced_servers import AnnouncedServer, Site
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.errors import ConfigurationError, ProcessError, RunnerUnavailable, StartFailed
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import OWN_PLACES, ProcessHandle, ServerConfig
from gglib_desktop.domain.servers.split.kind import WORKER, is_worker, worker_config
from gglib_desktop.domain.servers.split.workers import Worker, WorkerState
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.servers.place import PlacedProcess
from gglib_desktop.ports.servers.server_monitor import LostServer, UnreachableServer

_log = logging.getLogger(__name__)
_AGAIN_S = 5.0


class SplitRunner(RecordedRunner):
    """Workers are servers with records of their own that nobody is told of: they come and go with their head.

    A head that has lost a worker cannot answer any more, and would itself only end with the next request. So it is
    ended at once.
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
        super().__init__(data_dir, sites, threads=threads, stop_grace_s=stop_grace_s, keys=keys)
        # Those of earlier runners, whose head may be gone.
        self._found_workers: set[str] = set()
        self._ends: dict[str, asyncio.Task[None]] = {}

    # -- starting

    @override
    async def start(self, config: ServerConfig) -> ProcessHandle:
        await self._open()
        if not config.rpc_workers:
            return await super().start(config)
        await self._check_workers(config)
        workers: list[AnnouncedServer] = []
        head: AnnouncedServer | None = None
        try:
            for place in config.rpc_workers:
                workers.append(await self._started(worker_config(config, place)))  # noqa: PERF401  # ended below
            await self._check_reached(config, workers)
            head = await self._started(config, workers)
            await self._check_joined(head, workers)
        except BaseException:
            await asyncio.shield(self._scope.start(self._give_up(head, workers), name="end a split start"))
            raise
        return head.handle

    async def _give_up(self, head: AnnouncedServer | None, workers: Sequence[AnnouncedServer]) -> None:
        if head is not None:
            await _kill(head)
        await self._end_workers(workers)

    @override
    async def check(self, config: ServerConfig, *, instead_of: ProcessHandle) -> None:
        await super().check(config, instead_of=instead_of)
        if config.rpc_workers:
            await self._check_workers(config)

    async def _check_workers(self, config: ServerConfig) -> None:
        """The builds must be the same: the protocol between them changes. Raises: ConfigurationError."""
        if config.place not in OWN_PLACES or is_worker(config):
            raise ConfigurationError("rpc_workers", config.rpc_workers, "only servers of this computer have workers")
        _site, driver, engine = await self._engine_for(config)
        if driver.split is None:
            raise ConfigurationError("rpc_workers", config.rpc_workers, "this engine serves on one computer alone")
        for place in config.rpc_workers:
            site = self._sites.get(place)
            if site is None or WORKER not in site.drivers:
                raise ConfigurationError("rpc_workers", place, "no workers can be started at this place")
            there = await site.driver(WORKER).engine()
            if there.version != engine.version:
                reason = f"its engine is {there.version}, and {engine.version} here; both must be of the same build"
                raise ConfigurationError("rpc_workers", place, reason)

    async def _check_reached(self, config: ServerConfig, workers: Sequence[AnnouncedServer]) -> None:
        """An engine starts without the workers that it does not reach, on what memory is left."""
        _site, driver, engine = await self._engine_for(config)
        assert driver.split is not None
        reached = await driver.split.reached(engine, [worker.reached_at for worker in workers])
        missing = [worker.handle.place for worker in workers if worker.reached_at not in reached]
        if missing:
            raise StartFailed(f"the workers at {', '.join(missing)} do not answer as workers within 5 s")

    async def _check_joined(self, head: AnnouncedServer, workers: Sequence[AnnouncedServer]) -> None:
        assert head.driver.split is not None
        missing = head.driver.split.missing_in(await head.place.logs.beginning(head.record.run))
        places = [worker.handle.place for worker in workers if worker.reached_at in missing]
        if places:
            raise StartFailed(f"the server did not reach its workers at {', '.join(places)}", log_name=head.record.run)

    # -- together

    @override
    def _announce(self, record: ServerRecord, process: PlacedProcess, key: str | None) -> AnnouncedServer:
        server = super()._announce(record, process, key)
        if is_worker(record.config):
            head = next((each for each in self._running() if record.run in each.record.workers), None)
            if head is not None:
                self._join(head, server)
        for worker in self._workers_of(server):
            self._join(server, worker)
        if record.workers:
            process.on_exit(partial(self._begin_to_end, server))
        return server

    def _workers_of(self, head: AnnouncedServer) -> list[AnnouncedServer]:
        return [each for each in self._servers.values() if each.record.run in head.record.workers]

    def _join(self, head: AnnouncedServer, worker: AnnouncedServer) -> None:
        worker.process.on_exit(partial(self._lose, head, worker.record.place))

    def _lose(self, head: AnnouncedServer, place: str) -> None:
        if head.process.poll() or head.handle in self._stops or head.lost_worker:
            return
        _log.warning("the worker of %s at %s has ended", head.record.config.model_name, place)
        head.lost_worker = place
        self._scope.start(_kill(head), name="end a server without its worker")

    def _begin_to_end(self, head: AnnouncedServer) -> None:
        ending = self._scope.start(self._end_workers(self._workers_of(head)), name="end workers")
        self._ends[head.record.run] = ending
        ending.add_done_callback(lambda _task: self._ends.pop(head.record.run, None))

    async def _end_workers(self, workers: Sequence[AnnouncedServer]) -> None:
        await asyncio.gather(*map(self._end_worker, workers))

    async def _end_worker(self, worker: AnnouncedServer) -> None:
        """At a place that does not answer, as soon as it does."""
        while not worker.process.poll():
            try:
                await self._stop(worker)
            except RunnerUnavailable:
                await asyncio.sleep(_AGAIN_S)
            except ProcessError:
                return  # logged

    @override
    async def stop(self, handle: ProcessHandle) -> None:
        await super().stop(handle)
        await self._workers_ended(handle)

    @override
    async def kill(self, handle: ProcessHandle) -> None:
        await super().kill(handle)
        await self._workers_ended(handle)

    async def _workers_ended(self, handle: ProcessHandle) -> None:
        """Those at places that answer."""
        ending = self._ends.get(self._servers[handle].record.run) if handle in self._servers else None
        if ending is not None:
            await asyncio.wait({ending}, timeout=_AGAIN_S)

    # -- those of earlier runners

    @override
    async def _open(self) -> None:
        was_open = self._state.is_open
        await super()._open()
        if not was_open:
            self._settle()

    @override
    async def _find(self, record: ServerRecord, *, again: bool = False) -> None:
        await super()._find(record, again=again)
        if is_worker(record.config) and any(each.record.run == record.run for each in self._running()):
            self._found_workers.add(record.run)
        if self._state.is_open:
            self._settle()

    def _settle(self) -> None:
        """Workers that were found without a head are ended, and heads whose workers are gone."""
        running = {each.record.run: each for each in self._running()}
        kept = {run for each in running.values() for run in each.record.workers}
        waiting = super().unreachable()
        orphans = [running[run] for run in self._found_workers - kept if run in running]
        self._found_workers.clear()
        if orphans:
            self._scope.start(self._end_workers(orphans), name="end workers without a head")
        missing = {each.log_name for each in waiting}
        for head in running.values():
            for run, place in zip(head.record.workers, head.record.config.rpc_workers, strict=False):
                if run not in running and run not in missing:
                    self._lose(head, place)

    # -- what is told of

    @override
    def workers(self, handle: ProcessHandle) -> Sequence[Worker]:
        head = self._servers.get(handle)
        if head is None:
            return ()
        found = {each.record.place: each for each in self._workers_of(head)}
        return [_seen(place, found.get(place)) for place in head.record.config.rpc_workers]

    @override
    async def list_running(self) -> Sequence[ProcessHandle]:
        running = await super().list_running()
        return [handle for handle in running if not is_worker(self._servers[handle].record.config)]

    @override
    def take_lost(self) -> Sequence[LostServer]:
        return [each for each in super().take_lost() if not is_worker(each.config)]

    @override
    def unreachable(self) -> Sequence[UnreachableServer]:
        return [each for each in super().unreachable() if not is_worker(each.config)]


def _seen(place: str, worker: AnnouncedServer | None) -> Worker:
    if worker is None or worker.place.outage is not None:
        return Worker(place, WorkerState.UNREACHABLE)
    usage = worker.process.usage()
    if worker.process.poll():
        return Worker(place, WorkerState.ENDED)
    if usage is None:
        return Worker(place, WorkerState.RUNNING)
    return Worker(place, WorkerState.PAUSED if usage.paused else WorkerState.RUNNING, usage.rss_bytes)


async def _kill(head: AnnouncedServer) -> None:
    try:
        await kill_process(head.process)
    except ProcessError as exc:
        _log.warning("server %s goes on: %s", head.handle, exc)
