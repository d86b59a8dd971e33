"""One channel to a computer tells of all runs there that are ours, and that the computer can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gglib_desktop.adapters.places.ssh.remote_process import RemoteProcess
from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.scripts import script
from gglib_desktop.adapters.places.ssh.told import Computer, exit_of
from gglib_desktop.adapters.ssh.machine import Machine
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit
from gglib_desktop.ports.servers.place import Outage

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 4.0
# A beat comes each second.
_SILENCE_S = 10.0
_LOG = re.compile(r"-\S* +\d+ +\S+ +\S+ +(\d+) .* ([\w.-]+)/log")
Grown = Callable[[Mapping[str, int]], object]


@dataclass
class Watch:
    """Processes are told what becomes of them by the names of their folders. ``log_sizes`` are those there, too."""

    machine: Machine
    runs: Runs
    outage: Outage | None = None
    log_sizes: dict[str, int] = field(default_factory=dict)
    listeners: dict[object, Grown] = field(default_factory=dict)
    _processes: dict[str, RemoteProcess] = field(default_factory=dict)
    _ends: dict[str, ServerExit] = field(default_factory=dict)

    def follow(self, folder: str, process: RemoteProcess) -> None:
        self._processes[folder] = process
        if folder in self._ends:  # it was told before anyone followed it
            process.has_ended(self._ends[folder])

    def leave(self, folder: str, process: RemoteProcess) -> None:
        if self._processes.get(folder) is process:
            del self._processes[folder]

    async def go_on(self, computer: Computer) -> None:
        """Until it is cancelled."""
        changed = asyncio.Event()

        def on_change() -> None:
            changed.set()
            if self.machine.since is not None:
                self.is_lost(RunnerUnavailable(self.machine.reason))

        forget = self.machine.on_change(on_change)
        try:
            await self._go_on(computer, changed)
        finally:
            forget()

    async def _go_on(self, computer: Computer, changed: asyncio.Event) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S) as silence:
                    channel = await self.machine.channel(script("runs/watch"), computer.root, self.runs.owner)
                    try:
                        async for line in channel:
                            silence.reschedule(asyncio.get_running_loop().time() + _SILENCE_S)
                            if line == "beat":
                                self.is_back()
                            self._hear(line.split(" "), line, computer)
                            pause_s = _FIRST_PAUSE_S
                    finally:
                        await channel.aclose()
                raise RunnerUnavailable("the script that watches the servers there has ended")
            except (ValueError, RuntimeError) as exc:
                # All that is so is told anew to the next one.
                _log.warning("the watch of servers there begins anew: %r", exc)
            except (RunnerUnavailable, TimeoutError) as exc:
                self.is_lost(exc if isinstance(exc, RunnerUnavailable) else RunnerUnavailable("it is silent"))
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await changed.wait()
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def is_lost(self, why: RunnerUnavailable) -> None:
        if self.outage is None:
            _log.info("cannot reach the computer of %d servers: %s", len(self._processes), why)
            self.outage = Outage(self.machine.since or time.time(), str(why))
            for process in tuple(self._processes.values()):
                process.is_lost(why)

    def is_back(self) -> None:
        """It can be reached."""
        was_lost, self.outage = self.outage is not None, None
        if was_lost:
            for process in tuple(self._processes.values()):
                process.is_lost(None)

    def _hear(self, words: list[str], line: str, computer: Computer) -> None:
        match words:
            case ["up", folder, pid, started, boot, ticks, pages, state]:
                process = self._of(folder, f"{pid} {started} {boot}")
                if process is not None:
                    process.is_up(computer.usage(f"{ticks} {pages} {state}"))
            case ["exit", folder, code, *rung]:
                self._end(folder, exit_of(code, " ".join(rung)))
            case ["gone", folder]:
                self._end(folder, exit_of("", ""))
            case ["survived", folder] if folder in self._processes:
                self._processes[folder].has_survived()
            case _ if (found := _LOG.fullmatch(line)) is not None:
                self.has_grown(found[2], int(found[1]))

    def _of(self, folder: str, told: str) -> RemoteProcess | None:
        process = self._processes.get(folder)
        return process if process is not None and f"{process.pid} {process.identity}" == told else None

    def _end(self, folder: str, end: ServerExit) -> None:
        self._ends[folder] = end
        process = self._processes.get(folder)
        if process is not None:
            process.has_ended(end)

    def has_grown(self, folder: str, size: int) -> None:
        if self.log_sizes.get(folder) != size:
            self.log_sizes[folder] = size
            for tell in tuple(self.listeners.values()):
                tell({folder: size})
