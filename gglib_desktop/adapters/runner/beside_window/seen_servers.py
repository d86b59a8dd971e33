"""The servers in the records of another program, which may run, looked at without taking its place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.adapters.places.local.place import LocalPlace
from gglib_desktop.adapters.records.record_store import RecordStore
from gglib_desktop.adapters.runner.client_names import address_of
from gglib_desktop.adapters.runner.kinds import drivers_here
from gglib_desktop.adapters.runner.recorded_runner import RECORDS
from gglib_desktop.domain.options.host import openai_url
from gglib_desktop.domain.servers.health import PROBE_TIMEOUT_S, ProbeResult
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.ports.servers.engine_driver import EngineDriver

_STATES = {ProbeResult.OK: "Healthy", ProbeResult.LOADING: "Loading"}
_SILENT, _UNKNOWN = "Unresponsive", "not known"


@dataclass(frozen=True)
class SeenServer:
    """``state`` is as the window says it, ``not known`` where this computer cannot tell."""

    model: str
    place: str
    state: str
    pid: int | None
    port: int
    endpoint: str
    started_at: int | None


async def seen_servers(data_dir: Path, environment: Mapping[str, str]) -> list[SeenServer]:
    """Those that run on this computer, and all of other places. Changes nothing."""
    threads, drivers = Threads(), drivers_here()
    place = LocalPlace(data_dir, environment=environment, in_thread=threads.run)
    records = await asyncio.to_thread(lambda: list(RecordStore(data_dir / RECORDS).seen()))
    try:
        for driver in drivers.values():
            await driver.open()
        found = await asyncio.gather(*(_look(record, place, drivers) for record in records))
    finally:
        for driver in drivers.values():
            await driver.aclose()
        await threads.aclose()
    return sorted((each for each in found if each is not None), key=lambda each: each.started_at or 0)


async def _look(record: ServerRecord, place: LocalPlace, drivers: Mapping[str, EngineDriver]) -> SeenServer | None:
    if record.place != OWN_PLACE or (record.engine or next(iter(drivers))) not in drivers:
        return _seen(record, _UNKNOWN)
    driver = drivers[record.engine or next(iter(drivers))]
    found = await place.find(record, driver.reader)
    if found.process is None:
        return None
    found.process.forget()
    probe = await driver.probe(address_of(found.record, place, driver), PROBE_TIMEOUT_S)
    return _seen(found.record, _STATES.get(probe.result, _SILENT))


def _seen(record: ServerRecord, state: str) -> SeenServer:
    config = record.config
    endpoint = openai_url(record.port, config.host)
    return SeenServer(config.model_name, record.place, state, record.pid, record.port, endpoint, record.started_at)
