"""Runs on another computer that the runner does not know: those of other data directories, and lost ones of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from gglib_desktop.adapters.places.ssh.remote_process import RemoteProcess
from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.told import FoundRun, Known, OtherRun, other_runs
from gglib_desktop.adapters.places.ssh.ways import Ways
from gglib_desktop.domain.errors import ConfigurationError, NotRunning, RunnerUnavailable
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.foreign import ForeignServer
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.ports.servers.engine_driver import ProcessReader
from gglib_desktop.ports.servers.place import PlacedProcess

# The watch of its owner renews it every five seconds. An owner may be out of reach for a while.
LEASE_S = 60

Follow = Callable[[ServerRecord, Known], RemoteProcess]


class OtherRuns:
    """``Strangers`` of one computer. One with a fresh lease belongs to a program that runs, and is left alone."""

    def __init__(self, runs: Runs, ways: Ways, follow: Follow) -> None:
        self._runs = runs
        self._ways = ways
        self._follow = follow

    async def find(
        self, ours: Collection[ServerRecord], readers: Mapping[str, ProcessReader]
    ) -> Sequence[ForeignServer]:
        known = {(record.pid, record.identity) for record in ours}
        engine = next(iter(readers))
        others = [each for each in await self._others() if (each.process.pid, each.process.identity) not in known]
        return [self._foreign(each, engine) for each in others if each.record.engine in {None, *readers}]

    def _foreign(self, other: OtherRun, engine: str) -> ForeignServer:
        record, is_kept = other.record, other.owner != self._runs.owner and 0 <= other.lease_s <= LEASE_S
        return ForeignServer(
            pid=other.process.pid,
            identity=other.process.identity,
            port=record.port,
            model_path=record.config.model_path,
            command_line=record.command_line,
            rss_bytes=other.rss_bytes,
            parent=None,
            started_at=record.started_at or int(time.time()),
            kept_by=Path(other.label) if is_kept else None,
            place=record.place,
            engine=record.engine or engine,
        )

    async def address_of(self, server: ForeignServer, reader: ProcessReader) -> ServerAddress:
        other = await self._other(server)
        port = await self._ways.lead_from_any(other.record, other.address)
        found = FoundRun.of(await self._runs.ask("find", other.run))
        return ServerAddress(port, None, reader.key(found.argv, found.environment))

    async def take_over(
        self, server: ForeignServer, record: ServerRecord, begin: Callable[[ServerRecord, PlacedProcess], None]
    ) -> None:
        other = await self._other(server)
        if await self._runs.take(other.run, other.owner, LEASE_S) != "taken":
            raise RunnerUnavailable("another program looks after this server now")
        taken = record.replace(run=other.run, owns_group=True)
        begin(taken, self._follow(taken, other.process))

    async def stop(self, server: ForeignServer, grace_s: float) -> None:
        other = await self._other(server)
        if self._foreign(other, "").kept_by is not None:
            raise RunnerUnavailable("another program looks after this server")
        process = self._follow(other.record.replace(run=other.run), other.process)
        try:
            await process.stop(grace_s)
        finally:
            process.forget()

    async def _other(self, server: ForeignServer) -> OtherRun:
        for each in await self._others():
            if (each.process.pid, each.process.identity) == (server.pid, server.identity):
                return each
        raise NotRunning(f"process {server.pid} is gone")

    async def _others(self) -> list[OtherRun]:
        computer = await self._runs.greeted()
        try:
            return other_runs(await self._runs.others(), computer)
        except (ValueError, ConfigurationError) as exc:
            raise RunnerUnavailable(f"the runs of others cannot be read: {exc}") from exc
