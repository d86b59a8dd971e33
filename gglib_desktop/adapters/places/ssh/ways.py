"""The ports of this computer that lead to servers on another one."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

from gglib_desktop.adapters.machine.threads import InThread
from gglib_desktop.adapters.places.local.free_ports import choose_port
from gglib_desktop.adapters.places.local.port_owners import owner_of
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.domain.errors import PortTaken, RunnerUnavailable
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PORTS = 65536
_FREE = range(20000, _PORTS)


class Ways:
    """One for each server, by its run. They end with this program, and are there again when the link is."""

    def __init__(self, machine: Machine, in_thread: InThread) -> None:
        self._machine = machine
        self._in_thread = in_thread
        self._led: dict[str, tuple[str, int]] = {}
        self._owners: dict[str, str] = {}
        self._there: dict[int, int] = {}

    # -- ports

    async def choose_port(self, config: ServerConfig, *, avoid: Collection[int], freed: int | None = None) -> int:
        """A free one here. Raises: as ``Place.choose_port``."""
        try:
            return await choose_port(config.replace(host=None), avoid=avoid, freed=freed, in_thread=self._in_thread)
        except PortTaken as exc:
            raise PortTaken(exc.port, await self.owner_of(exc.port)) from exc

    def choose_port_there(self, port: int, taken: Collection[int], boot: str) -> None:
        """The one on the other computer that ``port`` is to lead to: the same if it can be had."""
        with contextlib.suppress(OSError):
            if boot == _BOOT.read_text(encoding="ascii").strip():
                taken = {*taken, port}  # the other computer is this one
        given = {*taken, *self._there.values()}
        self._there[port] = next(each for each in (*range(port, _PORTS), *_FREE) if each not in given)

    def port_there(self, port: int) -> int:
        return self._there.get(port, port)

    def port(self, run: str) -> int | None:
        """The one that leads to a server now."""
        _address, port = self._led.get(run, ("", None))
        return port

    async def owner_of(self, port: int) -> str | None:
        """Who listens on a port of this computer."""
        ours = next((run for run, (_address, led) in self._led.items() if led == port), "")
        return self._owners.get(ours) or await self._in_thread(owner_of, port)

    # -- ways

    async def lead(self, run: str, address: str, port: int) -> None:
        """To a server that listens on ``address`` there. Raises: PortTaken, RunnerUnavailable."""
        try:
            await self._machine.forward(address, port)
        except PortTaken as exc:
            raise PortTaken(port, await self.owner_of(port)) from exc
        self._led[run] = (address, port)

    async def lead_from_any(self, record: ServerRecord, address: str) -> int:
        """To a server that was found: from the port of before, if no other program has it now, else another one."""
        try:
            await self.lead(record.run, address, record.port)
            return record.port
        except PortTaken:
            avoid = {port for _address, port in self._led.values()}
            port = await self.choose_port(record.config.replace(port=None), avoid=avoid)
            await self.lead(record.run, address, port)
            return port

    def are_of(self, run: str, owner: str) -> None:
        """Who is told to have the port."""
        self._owners[run] = owner

    async def end(self, run: str) -> None:
        self._owners.pop(run, None)
        _address, port = self._led.pop(run, ("", 0))
        if port:
            self._there.pop(port, None)
            with contextlib.suppress(RunnerUnavailable):
                await self._machine.unforward(port)
