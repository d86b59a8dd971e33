"""Finds the recorded servers of earlier runners again, at each place once it answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.stop_ladder import kill_process
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.announced_servers import AnnouncedServer, Rest, Site
from gglib_desktop.adapters.runner.servers_at_work import ServersAtWork
from gglib_desktop.domain.errors import PlaceInUse, ProcessError, RunnerUnavailable
from gglib_desktop.domain.servers.access import needs_key
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.machine.key_store import KeyStore
from gglib_desktop.ports.models.place_files import PlaceFiles
from gglib_desktop.ports.servers.place import Finding, PlacedProcess
from gglib_desktop.ports.servers.server_monitor import LostServer
from gglib_desktop.tasks import LogReporter, TaskScope

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_CLOSED = "the runner is closed"


@dataclass
class _State:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    adopting: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_open: bool = False
    left: bool = False


class FoundServers(ServersAtWork):
    """Its own place is searched before anything else is done. Every other one is searched beside that, however long it
    takes; until it answers, the servers recorded there are unreachable.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        *,
        records: RecordStore,
        threads: Threads,
        stop_grace_s: Callable[[], float],
        keys: KeyStore,
    ) -> None:
        super().__init__(sites)
        self._records = records
        self._threads = threads
        self._stop_grace_s = stop_grace_s
        self._keys = keys
        self._scope = TaskScope(LogReporter())
        self._state = _State()
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._undead: dict[str, PlacedProcess] = {}
        self._follow_files: Callable[[str, PlaceFiles | None], object] = lambda _place, _files: None

    # -- places

    @property
    def scope(self) -> TaskScope:
        """Ends when the runner is left."""
        return self._scope

    def follow_files(self, follow: Callable[[str, PlaceFiles | None], object]) -> None:
        """Calls back with the files of each place that has some, now and when it is opened.

        With None when it is left.
        """
        self._follow_files = follow
        for place_id, site in self._sites.items():
            if site.files is not None:
                follow(place_id, site.files)

    async def add_place(self, place_id: str, site: Site) -> None:
        """From now on servers may be started there. Those of earlier runners are found as soon as it answers."""
        async with self._state.opening:
            if self._state.is_open:
                # Before any start there, whose record is none of an earlier runner's.
                recorded = await self._threads.run(lambda: [*self._records.of_place(place_id)])
                await site.open()
            self._sites[place_id] = site
            for follower in self._log_followers:
                follower.follow(site.place)
            if self._state.is_open:
                self._tend(place_id, recorded)
            if site.files is not None:
                self._follow_files(place_id, site.files)

    async def remove_place(self, place_id: str) -> None:
        """Its records stay. Raises: PlaceInUse while servers run or start there, as far as is known."""
        async with self._state.opening:
            if self._is_in_use(place_id):
                raise PlaceInUse(place_id)
            site = self._sites.pop(place_id)
            self._follow_files(place_id, None)
            for task in self._tasks.pop(place_id, ()):
                task.cancel()
            await site.aclose()

    def _is_in_use(self, place_id: str) -> bool:
        return any(server.record.place == place_id for server in self._running())

    def _tend(self, place_id: str, recorded: Sequence[ServerRecord]) -> None:
        """Once the runner is open. ``recorded``: the servers of earlier runners there."""
        logs = self._sites[place_id].place.logs
        self._tasks[place_id] = [
            self._scope.start(logs.keep_trimmed(partial(self._growing_logs, place_id)), name="trim logs"),
            self._scope.start(self._search(recorded), name=f"search {place_id}"),
        ]

    async def _search(self, recorded: Sequence[ServerRecord]) -> None:
        """Until it is known what became of every one of them."""
        pause_s = _FIRST_PAUSE_S
        for record in recorded:
            self._unreachable.pop(record.run, None)
            self._cannot_reach(record)
        if recorded:
            self._tell_found()
        while missing := [record for record in recorded if record.run in self._unreachable]:
            for record in missing:
                before = self._unreachable.get(record.run)
                await self._find(record, again=pause_s > _FIRST_PAUSE_S)
                if self._unreachable.get(record.run) != before:
                    self._tell_found()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    # -- servers

    async def _find(self, record: ServerRecord, *, again: bool = False) -> None:
        """Makes a recorded server one of ours, if it still runs. Where that cannot be told its record stays.

        ``again``: that has been logged.
        """
        site, name = self._sites.get(record.place), record.config.model_name
        self._log_places[record.run] = record.place
        if site is None:
            self._cannot_reach(record, f"there is no place {record.place} in the settings")
            return
        if (record.engine or site.engine(None)) not in site.drivers:
            self._cannot_reach(record, f"this version knows no engine {record.engine} there")
            return
        try:
            found = await site.place.find(record, site.driver(record.engine).reader)
            if found.process is None:
                self._unreachable.pop(record.run, None)
                self._has_gone(record, found)
                return
            key = await self._key_of(found)
        except (RunnerUnavailable, OSError) as exc:
            self._check_not_left()
            level = logging.DEBUG if again else logging.WARNING
            _log.log(level, "cannot adopt the server of %s (pid %s): %s", name, record.pid, exc)
            self._cannot_reach(record, str(exc))
            return
        if self._state.left:
            found.process.forget()
        self._check_not_left()
        self._unreachable.pop(record.run, None)
        if record.unwanted:
            self._keep_watch(found.record, found.process)
            return
        server = self._announce(found.record, found.process, key)
        _log.info("adopted the server of %s, pid %s, port %s", name, server.record.pid, server.record.port)
        self._records.rewrite(server.record)

    def _announce(self, record: ServerRecord, process: PlacedProcess, key: str | None) -> AnnouncedServer:
        site = self._sites[record.place]
        driver = site.driver(record.engine)
        rest = Rest(process, record, site.place, self._records, scope=self._scope, grace_s=self._stop_grace_s)
        server = AnnouncedServer(record.handle(), record, site.place, driver, process, rest, key)
        self._servers[server.handle] = server
        process.on_exit(rest.begin)
        return server

    def _keep_watch(self, record: ServerRecord, process: PlacedProcess) -> None:
        """Of one that is not wanted and could not be ended. That is tried again; its record is known until then."""
        name = record.config.model_name
        _log.warning("the server of %s, whose start failed, goes on; its port and memory stay in use", name)
        if self._state.left:
            process.forget()
            return
        self._records.rewrite(record.replace(unwanted=True))
        self._undead[record.run] = process
        process.on_exit(lambda: self._records.delete(record.run), lambda: self._undead.pop(record.run))
        self._scope.start(_end_at_last(process), name=f"end {record.run}")

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

    def _check_not_left(self) -> None:
        if self._state.left:
            raise RunnerUnavailable(_CLOSED)


async def _end_at_last(process: PlacedProcess) -> None:
    """Also one whose place cannot be reached now."""
    while not process.poll():
        await asyncio.sleep(_FIRST_PAUSE_S)
        with contextlib.suppress(ProcessError):
            await kill_process(process)
