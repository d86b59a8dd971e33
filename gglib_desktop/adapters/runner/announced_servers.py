"""The servers that a runner has announced, and what it tells of them, as their port ``ServerMonitor`` says."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.client_names import address_of, names_of, names_said
from gglib_desktop.adapters.runner.earlier_servers import EarlierServers
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, StopFailed
from gglib_desktop.domain.options.host import LOOPBACK, openai_url, other_urls
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.diagnosis import Diagnose, as_place_says
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.domain.servers.health import Probe, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import OWN_PLACE, ProcessHandle, ServerConfig
from gglib_desktop.domain.values import OneOf
from gglib_desktop.ports.models.place_files import PlaceFiles
from gglib_desktop.ports.servers.engine_driver import EngineDriver, ProcessReader, Seen
from gglib_desktop.ports.servers.place import Place, PlacedProcess
from gglib_desktop.ports.servers.server_monitor import ServerDescription
from gglib_desktop.tasks import TaskScope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gglib_desktop.domain.servers.router.models import RoutedModel
    from gglib_desktop.domain.servers.split.workers import Worker
    from gglib_desktop.domain.traffic.chat import AskChat
    from gglib_desktop.ports.servers.model_router import AskRouter, ModelRouter

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Site:
    """A place with the drivers of the engines that serve there, by their ids, its own one first.

    ``files`` None: its servers read no files of a computer that is scanned for models.
    """

    place: Place
    drivers: Mapping[str, EngineDriver]
    files: PlaceFiles | None = None

    def engine(self, chosen: str | None) -> str:
        """The id of the engine that is meant, where None is the place's own. Raises: ConfigurationError."""
        engine = chosen or next(iter(self.drivers))
        if engine not in self.drivers:
            raise ConfigurationError("engine", engine, f"must be {OneOf(tuple(self.drivers))}")
        return engine

    def driver(self, engine: str | None) -> EngineDriver:
        """The driver of the engine that is meant, as ``engine`` says."""
        return self.drivers[self.engine(engine)]

    @property
    def readers(self) -> dict[str, ProcessReader]:
        """What tells the servers of each engine from other programs."""
        return {engine: driver.reader for engine, driver in self.drivers.items()}

    async def open(self) -> None:
        for driver in self.drivers.values():
            await driver.open()

    async def aclose(self) -> None:
        for driver in self.drivers.values():
            await driver.aclose()
        await self.place.aclose()


class Rest:
    """What the process started and left behind, and the servers that others started for it.

    The record stays until all of that has ended, for the next runner in case this one is left before.
    """

    def __init__(
        self,
        process: PlacedProcess,
        record: ServerRecord,
        place: Place,
        records: RecordStore,
        *,
        scope: TaskScope,
        grace_s: Callable[[], float],
    ) -> None:
        self._process = process
        self._record = record
        self._place = place
        self._records = records
        self._scope = scope
        self._grace_s = grace_s
        self._ending: asyncio.Task[None] | None = None
        self._failure: StopFailed | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def serves(self) -> bool:
        """Something that could not be ended may still serve in place of the process."""
        return self._failure is not None

    async def over(self) -> None:
        """Returns when a server behind the process has ended too, at once where there is none."""
        if self._record.behind is not None:
            await asyncio.shield(self._over)

    def forget(self) -> None:
        """Cancels the waits for its end."""
        self._over.cancel()

    def begin(self) -> asyncio.Task[None]:
        """Ends it, once; called when the process has ended."""
        if self._ending is None:
            if self._record.behind is None:
                # The group of a child ends when it is reaped.
                self._records.delete(self._record.run)
            self._ending = self._scope.start(self._end(), name="end leftovers")
        return self._ending

    async def ended(self) -> None:
        """Returns when nothing is left. Raises: StopFailed."""
        await asyncio.wait({self.begin()})
        if self._failure is not None:
            raise self._failure

    def may_be_tried_again(self) -> bool:
        """Whether something could not be ended; ``ended`` then tries it again."""
        if self._failure is None:
            return False
        self._failure, self._ending = None, None
        return True

    async def _end(self) -> None:
        try:
            await self._place.clean_up(self._record, self._process, self._grace_s())
        except StopFailed as exc:
            _log.warning("%s", exc)
            self._failure = exc
            return
        if self._record.behind is not None:
            self._records.delete(self._record.run)
            if not self._over.done():
                self._over.set_result(None)


@dataclass
class AnnouncedServer:
    """One announced server. Kept after its end, so that its log and the reason stay known."""

    handle: ProcessHandle
    record: ServerRecord
    place: Place
    driver: EngineDriver
    process: PlacedProcess
    rest: Rest
    key: str | None = field(repr=False)
    last_ok: int | None = None
    facts: ServerFacts | None = None
    lost_worker: str = ""

    @property
    def address(self) -> ServerAddress:
        return address_of(self.record, self.place, self.driver, self.key)

    @property
    def reached_at(self) -> str:
        """Where it is reached from here, as ``host:port``."""
        address = self.place.reach(self.record)
        return f"{address.host or LOOPBACK}:{address.port}"

    @property
    def may_sleep(self) -> bool:
        """Or it is not known yet that it never does."""
        return self.facts is None or self.facts.may_sleep


class _ModelsOf:
    """The models of one router."""

    def __init__(self, server: AnnouncedServer, router: AskRouter) -> None:
        self._server = server
        self._router = router

    def watch(self) -> AsyncGenerator[tuple[RoutedModel, ...], None]:
        return self._router.watch(self._server.address)

    async def load(self, model: str) -> None:
        await self._router.load(self._server.address, model)

    async def unload(self, model: str) -> None:
        await self._router.unload(self._server.address, model)


class _LogFollower:
    """Is told of the growth of logs at all places, also at those that come later."""

    def __init__(self, callback: Callable[[Mapping[str, int]], object]) -> None:
        self._callback = callback
        self._ends: list[Callable[[], None]] = []

    def follow(self, place: Place) -> None:
        self._ends.append(place.logs.on_growth(self._callback))

    def end(self) -> None:
        for each in self._ends:
            each()


class AnnouncedServers(EarlierServers, ABC):
    """The servers by their handles. Once those of earlier runners are found, an unknown one is one that has ended."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        """``sites`` are the places by their ids, the runner's own one first."""
        super().__init__()
        self._own = next(iter(sites))
        self._sites = dict(sites)
        self._servers: dict[ProcessHandle, AnnouncedServer] = {}
        self._unread_logs: Callable[[], Awaitable[Collection[str]]] = _none
        self._log_followers: list[_LogFollower] = []

    @abstractmethod
    async def _open(self) -> None:
        """Finds the servers that an earlier runner left, once. Raises: RunnerUnavailable."""

    @abstractmethod
    def _check_open(self) -> None:
        """Raises: RunnerUnavailable before that, and after the end."""

    def describe(self, handle: ProcessHandle) -> ServerDescription:
        self._check_open()
        server = self._servers.get(handle)
        if server is None:
            raise self._not_running(handle)
        record, host = server.record, server.record.config.host
        others = other_urls(host, record.port, server.place.addresses() if host is not None else ())
        return ServerDescription(
            config=record.config,
            endpoint=self.endpoint(handle),
            other_endpoints=tuple(f"{url}/v1" for url in others),
            command_line=record.command_line,
            log_name=record.run,
            api_key=server.key,
        )

    def endpoint(self, handle: ProcessHandle) -> str:
        self._check_open()
        server = self._servers.get(handle)
        address = server.address if server is not None else ServerAddress(handle.port)
        return openai_url(address.port, address.host)

    async def probe(self, handle: ProcessHandle, timeout_s: float) -> Probe:
        await self._open()
        server = self._servers.get(handle)
        if server is None or (server.process.poll() and not server.rest.serves):
            return Probe(ProbeResult.REFUSED, "the process is gone")
        probe = await server.driver.probe(server.address, timeout_s)
        if probe.result is ProbeResult.OK:
            server.last_ok = int(time.time())
        elif (outage := server.place.outage) is not None and not server.process.poll():
            return Probe(ProbeResult.UNREACHABLE, outage.reason, outage.since)
        return probe

    async def facts(self, handle: ProcessHandle) -> ServerFacts | None:
        await self._open()
        server = self._servers.get(handle)
        if server is None:
            return None
        if not server.process.poll():
            log = await server.place.logs.beginning(server.record.run)
            wants_key = server.facts is not None and server.facts.wants_key
            no_gpu = server.place.has_no_gpu(server.process)
            seen = Seen(log, server.record.command_line, wants_key=wants_key, no_gpu=no_gpu)
            server.facts = _completed(await server.driver.facts(server.address, seen), server.facts)
        return server.facts

    def chat(self, handle: ProcessHandle) -> AskChat | None:
        self._check_open()
        server = self._servers.get(handle)
        ask = server.driver.chat if server is not None else None
        if server is None or ask is None:
            return None
        return lambda request: ask(server.address, request)

    def workers(self, handle: ProcessHandle) -> Sequence[Worker]:  # noqa: ARG002  # few have any
        return ()

    def router(self, handle: ProcessHandle) -> ModelRouter | None:
        self._check_open()
        server = self._servers.get(handle)
        router = server.driver.router if server is not None else None
        return None if server is None or router is None else _ModelsOf(server, router)

    async def wait_exit(self, handle: ProcessHandle) -> ServerExit:
        await self._open()
        server = self._servers.get(handle)
        if server is None:
            return ServerExit(None)
        end = await server.process.wait()
        await server.rest.over()
        lost = server.lost_worker
        return ServerExit(None, lost_worker=lost) if lost and end.asked_for else end

    def diagnose_for(self, config: ServerConfig) -> Diagnose:
        return as_place_says(self._driver_for(config).diagnose)

    def names_said(self, config: ServerConfig, command_line: str) -> tuple[str, ...]:
        return names_said(command_line, self._driver_for(config).reader.settings)

    def on_log_growth(self, callback: Callable[[Mapping[str, int]], object]) -> Callable[[], None]:
        follower = _LogFollower(callback)
        for site in self._sites.values():
            follower.follow(site.place)
        self._log_followers.append(follower)

        def end() -> None:
            self._log_followers.remove(follower)
            follower.end()

        return end

    def spare_unread_logs(self, unread: Callable[[], Awaitable[Collection[str]]]) -> None:
        self._unread_logs = unread

    async def _growing_logs(self, place_id: str) -> Sequence[str]:
        """Those at a place that may be trimmed."""
        unread = await self._unread_logs()
        there = [record.run for record in self._records_of_running() if record.place == place_id]
        return [run for run in there if run not in unread]

    def _driver_for(self, config: ServerConfig) -> EngineDriver:
        """Also for a place or an engine that is not known any more."""
        drivers = self._sites.get(config.place, self._sites[self._own]).drivers
        return drivers.get(config.engine or "", next(iter(drivers.values())))

    def _place_of(self, config: ServerConfig) -> str:
        """The id of the place that a configuration means: "local" is the runner's own. Raises: ConfigurationError."""
        name = self._own if config.place == OWN_PLACE else config.place
        if name not in self._sites:
            raise ConfigurationError("place", config.place, f"this runner knows {', '.join(self._sites)}")
        return name

    def _running(self) -> list[AnnouncedServer]:
        return [server for server in self._servers.values() if not server.process.poll()]

    def _records_of_running(self) -> list[ServerRecord]:
        return [server.record for server in self._running()]

    def _names_of_running(self) -> list[str]:
        return [name for server in self._running() for name in names_of(server.record, server.driver.reader)]

    def _server(self, handle: ProcessHandle) -> AnnouncedServer:
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            raise self._not_running(handle)
        return server

    def _not_running(self, handle: ProcessHandle) -> NotRunning:
        return NotRunning(f"no server of {handle.model_name} with pid {handle.pid} runs on port {handle.port}")


async def _none() -> Collection[str]:
    return ()


def _completed(facts: ServerFacts | None, before: ServerFacts | None) -> ServerFacts | None:
    """A server that sleeps does not tell how it drafts."""
    if facts is None or before is None or facts.drafts is not None:
        return facts or before
    return replace(facts, drafts=before.drafts, draft_types=before.draft_types)
