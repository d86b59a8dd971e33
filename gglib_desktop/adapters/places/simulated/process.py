"""A process that only seems to run. Its program says what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Protocol

from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.places.awaited_exit import AwaitedExit
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.traffic.figures import MemoryUse

_log = logging.getLogger(__name__)
_LOG_TAIL_BYTES = 64 * 1024
_RSS_BYTES = 64 * 2**20


class Program(Protocol):
    """What a simulated process does."""

    @property
    def busy_s(self) -> float:
        """Seconds for which it keeps a core busy at the beginning."""

    def begin(self) -> None: ...

    def go_on(self) -> bool:
        """Continues after it was found again. False: it has ended meanwhile."""

    def terminate(self) -> None:
        """It was asked to end."""


class SimulatedOutput:
    """The log of a run, for the program that writes it."""

    def __init__(self, logs: LogFolder, run: str) -> None:
        self._logs = logs
        self._run = run

    def write(self, text: str) -> None:
        try:
            with os.fdopen(self._logs.open_for_append(self._run), "ab") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
        except (OSError, RunnerUnavailable) as exc:
            _log.warning("cannot write the log of %s: %s", self._run, exc)

    def tail(self) -> bytes:
        return self._logs.read(self._run, -_LOG_TAIL_BYTES, _LOG_TAIL_BYTES).data


class SimulatedProcess(AwaitedExit):
    """One of them. ``adopted``: an earlier run of this program started it. ``frozen`` ones answer nothing."""

    refuses_signals = False

    def __init__(
        self, record: ServerRecord, logs: LogFolder, program: Callable[[SimulatedProcess], Program], *, adopted: bool
    ) -> None:
        super().__init__()
        assert record.pid is not None
        self.pid = record.pid
        self.identity = record.run
        self.record = record
        self.adopted = adopted
        self.frozen = False
        self._stopped_by = StopRung.NONE
        self.output = SimulatedOutput(logs, record.run)
        since = time.time() - (record.started_at or time.time()) if adopted else 0.0
        self._began_at = asyncio.get_running_loop().time() - max(0.0, since)
        self._timers: set[asyncio.TimerHandle] = set()
        self._program = program(self)

    @property
    def program(self) -> Program:
        return self._program

    @property
    def age_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_at

    # -- as every process at a place

    def poll(self) -> bool:
        return self.has_exited

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        if self.poll():
            return
        first, self._stopped_by = self._stopped_by is StopRung.NONE, rung
        if number is signal.SIGKILL:
            self.end(-number)
        elif first:
            self._program.terminate()

    def usage(self) -> Usage | None:
        return None if self.poll() else Usage(min(self.age_s, self._program.busy_s), _RSS_BYTES, paused=self.frozen)

    async def memory(self) -> MemoryUse | None:
        return None if self.poll() else MemoryUse(_RSS_BYTES, _RSS_BYTES, _RSS_BYTES)

    def forget(self) -> None:
        self._end_timers()
        self._exited.cancel()

    # -- for its program

    def at(self, age_s: float | None, action: Callable[[], None]) -> None:
        """Does something at that age, None never, unless the process has ended by then."""
        if age_s is None:
            return

        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(max(0.0, age_s - self.age_s), act)
        self._timers.add(timer)

    def begin_anew(self) -> None:
        """Its age counts from now on."""
        self._began_at = asyncio.get_running_loop().time()

    def end(self, status: int) -> None:
        self._end_timers()
        if not self._exited.done():
            # Only a parent learns how its child ended; the parent of an adopted one is gone.
            self._exited.set_result(ServerExit(None if self.adopted else status, self._stopped_by))

    def _end_timers(self) -> None:
        while self._timers:
            self._timers.pop().cancel()
