"""A server's process on another computer: what the watch there tells of it, and the scripts that signal it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
from collections.abc import Callable

from typing_extensions import override

from gglib_desktop.adapters.places.awaited_exit import AwaitedExit
from gglib_desktop.adapters.places.ssh.runs import Runs
from gglib_desktop.adapters.places.ssh.told import FoundRun, Known
from gglib_desktop.domain.documents.settings import SECOND_GRACE_S
from gglib_desktop.domain.errors import ProcessError, RunnerUnavailable, StopFailed
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.traffic.figures import MemoryUse
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
_KILLED_S = 3.0
_LOOK_S = 5.0
_LONGEST_GRACE_S = 86400.0
_KIB = re.compile(rb"^(VmRSS|Rss|Pss|Anonymous): +(\d+) kB$", re.MULTILINE)


class RemoteProcess(AwaitedExit):
    """One run. While its computer cannot be reached nothing is known of it, so nothing is told."""

    refuses_signals = False

    def __init__(
        self, runs: Runs, run: str, known: Known | None, scope: TaskScope, *, forget: Callable[[], object]
    ) -> None:
        """``known`` None: it had ended before anyone could look. ``forget`` is called when no more is to be told."""
        super().__init__()
        self.run = run
        self.pid = known.pid if known is not None else None
        self.identity = known.identity if known is not None else "ended"
        self._known = f"{self.pid} {self.identity}"
        self._runs = runs
        self._scope = scope
        self._usage = runs.computer.usage(known.used) if known is not None and runs.computer is not None else None
        self._sending: asyncio.Task[RunnerUnavailable | None] | None = None
        self._stopping: asyncio.Future[ProcessError] | None = None
        self._lost: RunnerUnavailable | None = None
        self._exited.add_done_callback(lambda _exited: forget())

    # -- what the watch tells

    def is_up(self, usage: Usage | None) -> None:
        self._usage = usage

    def has_ended(self, end: ServerExit) -> None:
        self._usage = None
        if not self._exited.done():
            self._exited.set_result(end)

    def has_survived(self) -> None:
        """Every signal of a stop, which has gone on there."""
        self._give_up(StopFailed(f"process {self.pid} survived SIGKILL; its port and memory there stay in use"))

    def is_lost(self, why: RunnerUnavailable | None) -> None:
        """Its computer cannot be reached, or it can again."""
        self._lost = why
        if why is not None:
            self._usage = None
            self._give_up(why)

    def _give_up(self, why: ProcessError) -> None:
        if self._stopping is not None and not self._stopping.done():
            self._stopping.set_result(why)

    # -- as every process at a place

    def poll(self) -> bool:
        return self.has_exited

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        if not self.poll():
            self._sending = self._scope.start(self._deliver(number, rung, self._sending), name=f"{rung} to {self.run}")

    @override
    async def exits_within(self, seconds: float) -> bool:
        """Counted from the moment when the last signal has reached it. Raises: RunnerUnavailable when it did not."""
        if self._sending is not None:
            ends: tuple[asyncio.Future[object], ...] = (self._sending, self._exited)  # type: ignore[assignment]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            failed = self._sending.result() if self._sending.done() and not self._sending.cancelled() else None
            if failed is not None and not self.poll():
                raise failed
        if not await super().exits_within(seconds) and self._sending is not None and self._lost is not None:
            raise self._lost
        return self.poll()

    async def stop(self, grace_s: float) -> None:
        """The whole ladder is climbed there, so that no link that is lost leaves half of it."""
        over = self._stopping = asyncio.get_running_loop().create_future()
        limits_s = (min(grace_s, _LONGEST_GRACE_S), SECOND_GRACE_S, _KILLED_S)
        await self._runs.begin_to_stop(self.run, self._known, limits_s)
        while not self.poll() and not over.done():
            await asyncio.wait({self._exited, over}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            await self._look()
        if not self.poll():
            raise over.result()

    async def _look(self) -> None:
        """Whether it has ended, in case that was not told."""
        if self.poll():
            return
        with contextlib.suppress(RunnerUnavailable):
            found = FoundRun.of(await self._runs.ask("find", self.run))
            if found.runs is False and not self.poll():
                _log.warning("the end of run %s was not told", self.run)
                self.has_ended(found.exit or ServerExit(None))

    def usage(self) -> Usage | None:
        return self._usage

    async def memory(self) -> MemoryUse | None:
        if self.poll():
            return None
        try:
            told = {name: int(kib) * 1024 for name, kib in _KIB.findall(await self._runs.ask("memory", self.run))}
        except RunnerUnavailable:
            return None
        resident = told.get(b"Rss", told.get(b"VmRSS"))
        return None if resident is None else MemoryUse(resident, told.get(b"Anonymous"), told.get(b"Pss"))

    def forget(self) -> None:
        self._exited.cancel()

    async def _deliver(
        self, number: signal.Signals, rung: StopRung, before: asyncio.Task[RunnerUnavailable | None] | None
    ) -> RunnerUnavailable | None:
        """Returns why it could not be sent."""
        if before is not None:
            await asyncio.wait({before})
        try:
            await self._runs.ask("signal", self.run, number.name.removeprefix("SIG"), self._known, rung)
        except RunnerUnavailable as exc:
            return exc
        return None
