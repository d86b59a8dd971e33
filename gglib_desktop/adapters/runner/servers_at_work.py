"""What the servers of a runner do and use, as their port ``ServerMonitor`` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gglib_desktop.adapters.runner.announced_servers import AnnouncedServers
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from gglib_desktop.domain.traffic.figures import Counters, MemoryUse, SlotWork
from gglib_desktop.domain.traffic.requests import RequestReader
from gglib_desktop.ports.servers.server_monitor import LogChunk


class ServersAtWork(AnnouncedServers):
    """Tells of the work of announced servers. One that has ended does none."""

    async def usage(self, handle: ProcessHandle) -> Usage | None:
        await self._open()
        server = self._servers.get(handle)
        usage = server.process.usage() if server is not None else None
        if server is None or usage is None:
            return None
        return replace(usage, log_bytes=server.place.logs.size(server.record.run))

    async def memory(self, handle: ProcessHandle) -> MemoryUse | None:
        await self._open()
        server = self._servers.get(handle)
        return await server.process.memory() if server is not None else None

    async def slots(self, handle: ProcessHandle) -> Sequence[SlotWork] | None:
        await self._open()
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            return None
        return await server.driver.slots(server.address, may_sleep=server.may_sleep)

    async def counters(self, handle: ProcessHandle) -> Counters | None:
        await self._open()
        server = self._servers.get(handle)
        if server is None or server.process.poll():
            return None
        return await server.driver.counters(server.address, may_sleep=server.may_sleep)

    def requests_reader(self, config: ServerConfig, *, began_at: float, state: str = "") -> RequestReader | None:
        return self._driver_for(config).requests(began_at=began_at, state=state)

    async def read_log(self, log_name: str, offset: int, limit_bytes: int) -> LogChunk:
        await self._open()
        server = next((each for each in self._servers.values() if each.record.run == log_name), None)
        site = self._sites.get(self._log_places.get(log_name, self._own), self._sites[self._own])
        place = server.place if server is not None else site.place
        return await place.logs.read(log_name, offset, limit_bytes)
