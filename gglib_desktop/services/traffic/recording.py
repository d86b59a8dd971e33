"""Records the requests of all servers, from their logs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path

from gglib_desktop.domain.documents.settings import DEFAULT_BASE_PORT, AppSettings
from gglib_desktop.domain.errors import HistoryError, NotRunning
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.domain.servers.states import Ended, handle_of
from gglib_desktop.domain.traffic.requests import RequestReader, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RequestStore
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.snapshot import ServerChanged, ServersAdopted, ServerSnapshot, SupervisorEvent
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.auditing import RequestAudits
from gglib_desktop.services.traffic.history_writer import HistoryWriter
from gglib_desktop.services.traffic.log_follower import LogFollower
from gglib_desktop.services.traffic.news import CountersRead, RecordingNews, RequestsRead
from gglib_desktop.services.traffic.run_facts import run_facts
from gglib_desktop.services.traffic.run_reading import RunReading
from gglib_desktop.tasks import ErrorReporter, TaskScope

_log = logging.getLogger(__name__)
_LAST_READING_S = 3.0


class RequestRecorder:
    """Follows the log of each run, tells at once what it says, and keeps what is over in a history, with news of that.

    Servers that an earlier program left are followed from where that had read, and the logs of those that ended while
    no program ran are read to their end. ``store`` is the history, ``clock`` gives the unix time.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        store: RequestStore,
        settings: Callable[[], AppSettings],
        reporter: ErrorReporter,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._supervisor = supervisor
        self.store = store
        read: EventSource[RequestsRead] = EventSource()
        self.subscribe = read.add
        news: EventSource[RecordingNews] = EventSource()
        self.subscribe_to_news = news.add
        self._scope = TaskScope(reporter)
        self._follower = LogFollower(supervisor.monitor, tell=read.emit, has_read=self._has_read, clock=clock)
        self._writer = HistoryWriter(
            store, self._follower, news.emit, begin_again=self._begin_again, settings=settings, clock=clock
        )
        self.audits = RequestAudits(self._follower.readings, news.emit, started_at=self._started_at, clock=clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None
        self._seen: set[str] = set()
        self._adopted: bool | None = None

    def begin(self) -> None:
        """Called before the runner looks for the servers of an earlier program."""
        self._supervisor.monitor.spare_unread_logs(self._unread)
        self._unsubscribe = self._supervisor.subscribe(self._on_supervisor)
        self._tasks = [
            self._scope.start(self._follower.follow(), name="follow logs"),
            self._scope.start(self._writer.write(self._scope), name="record requests"),
        ]

    def take_counters(self, news: CountersRead) -> None:
        """What a server has counted, soon after it has ended to work."""
        self.audits.on_counters(news)
        self._writer.look()

    async def aclose(self) -> None:
        """Keeps what was written until now, as far as that is read quickly. The rest is left to the next program."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._follower.look_at(*self._follower.readings)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_READING_S):
                await self._follower.catch_up()
        await self._writer.keep(all_of_it=True)
        self._follower.close()
        await self._scope.aclose()

    # -- which runs there are

    def _on_supervisor(self, event: SupervisorEvent) -> None:
        match event:
            case ServerChanged(snapshot) if snapshot.log_name:
                self._on_server(snapshot)
            case ServersAdopted():
                self._adopted = True
                self._end_those_that_are_gone()

    def _on_server(self, snapshot: ServerSnapshot) -> None:
        run = snapshot.log_name
        reading = self._follower.readings.get(run)
        if reading is not None:
            if snapshot.facts is not None:
                reading.facts = run_facts(snapshot)
            if isinstance(snapshot.state, Ended) and not reading.has_ended:
                self._follower.end(run)
        elif handle_of(snapshot.state) is not None and run not in self._seen:
            self._seen.add(run)
            if snapshot.adopted:
                self._scope.start(self._follow_adopted(snapshot), name="follow a log")
            else:
                self._follow(snapshot, None)

    def _follow(self, snapshot: ServerSnapshot, kept: ReadSoFar | None) -> None:
        handle = handle_of(snapshot.state)
        if handle is None:
            return
        # One of ours is told of as soon as it answers, which is soon; when it began is known in whole seconds.
        began_at = (
            float(handle.started_at) if snapshot.adopted else min(self._follower.clock(), handle.started_at + 1.0)
        )
        make = self._reader_for(snapshot.config, began_at)
        if make is not None:
            reading = RunReading(run_facts(snapshot), make, kept, is_live=not snapshot.adopted)
            self._follower.add(reading)
            # At once: the next program must know of this run even if its server is gone by then.
            self._scope.start(self._writer.keep(), name="keep a run")

    async def _follow_adopted(self, snapshot: ServerSnapshot) -> None:
        """It is not among those that were not read to their end."""
        kept = None
        try:
            kept = await self.store.read_so_far(snapshot.log_name)
        except HistoryError as exc:
            await self._writer.on_error(exc)
        self._follow(snapshot, kept)
        if self._is_gone(snapshot.log_name) and snapshot.log_name in self._follower.readings:
            self._follower.end(snapshot.log_name)

    async def _unread(self) -> Collection[str]:
        """The runs whose logs must not be shortened yet. Asked first when no server has been found again."""
        if self._adopted is None:
            self._adopted = False
            try:
                await self._find_unfinished()
            except HistoryError as exc:
                await self._writer.on_error(exc)
            if self._adopted:  # meanwhile; those that were found now had not been looked at then
                self._end_those_that_are_gone()
        if self._writer.is_paused:
            return ()  # what cannot be kept must not fill the disk either
        return [run for run, reading in self._follower.readings.items() if not reading.at_end]

    async def _find_unfinished(self) -> None:
        for facts, read in await self.store.unfinished():
            if facts.run not in self._seen:
                self._seen.add(facts.run)
                make = self._reader_for(_some_config(facts), 0.0)  # when it began stands in its state
                if make is not None:
                    self._follower.add(RunReading(facts, make, read, is_live=False))

    async def _begin_again(self) -> None:
        """Reads on from what is in the history, which may be less than was read."""
        await self._find_unfinished()
        for run, reading in list(self._follower.readings.items()):
            reading.begin(await self.store.read_so_far(run))
            self._follower.look_at(run)
        if self._adopted:
            self._end_those_that_are_gone()

    def _end_those_that_are_gone(self) -> None:
        for run in list(self._follower.readings):
            if self._is_gone(run):
                self._follower.end(run)

    def _is_gone(self, run: str) -> bool:
        """No server writes it any more, as far as is known."""
        return all(
            isinstance(server.state, Ended) or self._run_of(server) != run for server in self._supervisor.servers
        )

    def _run_of(self, server: ServerSnapshot) -> str:
        """Also of a server that has just been taken over."""
        handle = handle_of(server.state)
        if handle is not None and not server.log_name:
            with contextlib.suppress(NotRunning):
                return self._supervisor.monitor.describe(handle).log_name
        return server.log_name

    def _reader_for(self, config: ServerConfig, began_at: float) -> Callable[[str], RequestReader] | None:
        """Makes readers; None where the engine tells nothing of requests."""
        if self._supervisor.monitor.requests_reader(config, began_at=began_at) is None:
            return None

        def make(state: str) -> RequestReader:
            reader = self._supervisor.monitor.requests_reader(config, began_at=began_at, state=state)
            assert reader is not None
            return reader

        return make

    def _started_at(self, run: str) -> float | None:
        """Of a run that this program started and has followed from its beginning."""
        for server in self._supervisor.servers:
            handle = handle_of(server.state)
            if handle is not None and server.log_name == run and not server.adopted:
                return float(handle.started_at)
        return None

    def _has_read(self) -> None:
        self._writer.look()


def _some_config(facts: RunFacts) -> ServerConfig:
    """Of a run whose server is gone: which engine served it is known by its place, the runner's own."""
    return ServerConfig(facts.model_id, facts.model, Path(facts.model), DEFAULT_BASE_PORT)
