"""A server in a container: watched through its engine, and signaled only while it is certain to be that very run."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import override

from gglib_desktop.adapters.places.awaited_exit import AwaitedExit
from gglib_desktop.adapters.places.container.docker_api import DockerApi, Refused
from gglib_desktop.adapters.places.container.inside import Inside
from gglib_desktop.adapters.places.container.log_copy import LogCopy
from gglib_desktop.adapters.places.local.memory_use import memory_use
from gglib_desktop.domain.errors import RunnerUnavailable
from gglib_desktop.domain.servers.failures import ServerExit, StopRung
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.traffic.figures import MemoryUse
from gglib_desktop.tasks import TaskScope

_log = logging.getLogger(__name__)
_LAST_WORDS_S = 1.0
_AGAIN_S = 2.0
# What a shell adds to the number of the signal that ended a program; the init in a container does the same.
_SIGNALLED = 128


class ContainerProcess(AwaitedExit):
    """One run of one container, from a start of it to the end. Begins to watch at once.

    While the engine does not answer nothing is known of it, so nothing is told.
    """

    pid = None
    refuses_signals = False

    def __init__(
        self,
        api: DockerApi,
        found: Mapping[str, Any],
        log: LogCopy,
        scope: TaskScope,
        on_look: Callable[[RunnerUnavailable | None], object],
    ) -> None:
        """``found``: what the engine tells of it. ``on_look`` hears of each look whether the engine answered."""
        super().__init__()
        self._api = api
        self.identity = identity_of(api, found)
        self.inside = Inside(str(found["Id"]), int(found["State"]["Pid"]))
        self._log = log
        self._scope = scope
        self._on_look = on_look
        self._stopped_by = StopRung.NONE
        self._sending: asyncio.Task[RunnerUnavailable | None] | None = None
        self._look = asyncio.Event()
        self.watching = scope.start(self._watch(), name=f"container of {log.run}")

    @property
    def _id(self) -> str:
        return self.identity.partition(" ")[0]

    def look(self) -> None:
        """Something may have happened to it."""
        self._look.set()

    def poll(self) -> bool:
        return self.has_exited

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        if not self.poll():
            self._stopped_by = rung
            self._sending = self._scope.start(self._deliver(number, self._sending), name=f"{rung} to {self._log.run}")

    @override
    async def exits_within(self, seconds: float) -> bool:
        """Counted from the moment when the last signal has reached it. Raises: RunnerUnavailable when it did not."""
        if self._sending is not None:
            ends: tuple[asyncio.Future[Any], ...] = (self._sending, self._exited)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            failed = self._sending.result() if self._sending.done() and not self._sending.cancelled() else None
            if failed is not None and not self.poll():
                raise failed
        return await super().exits_within(seconds)

    def usage(self) -> Usage | None:
        used = None if self.poll() else self.inside.usage()
        if used is None:
            self.look()
        return used

    async def memory(self) -> MemoryUse | None:
        pids = [] if self.poll() else self.inside.pids()
        return await asyncio.to_thread(memory_use, pids) if pids else None

    def forget(self) -> None:
        self.watching.cancel()
        self._exited.cancel()

    async def _deliver(
        self, number: signal.Signals, before: asyncio.Task[RunnerUnavailable | None] | None
    ) -> RunnerUnavailable | None:
        """Returns why it could not be sent."""
        if before is not None:
            await asyncio.wait({before})
        try:
            found = await self._api.container(self._id)
            if found is not None and identity_of(self._api, found) == self.identity:
                if found["State"]["Paused"]:
                    await self._api.ask("POST", f"/containers/{self._id}/unpause")
                await self._api.ask("POST", f"/containers/{self._id}/kill", signal=number.name)
        except Refused as exc:
            _log.info("no %s for %s: %s", number.name, self._log.run, exc)  # it has ended meanwhile
        except RunnerUnavailable as exc:
            return exc
        self.look()
        return None

    async def _watch(self) -> None:
        found = await self._after_its_end()
        if found is None:
            self._exited.set_result(ServerExit(None, self._stopped_by))
            return
        end = exit_of(found, self._stopped_by)
        completing = self._scope.start(self._log.complete(), name=f"end of the log of {self._log.run}")
        await asyncio.wait({completing}, timeout=_LAST_WORDS_S)
        if not completing.done():  # a long one is copied on
            self._exited.set_result(end)
        while not await self._is_tidied(completing):
            if not self.has_exited:
                self._exited.set_result(end)
            await asyncio.sleep(_AGAIN_S)
            completing = self._scope.start(self._log.complete(), name=f"end of the log of {self._log.run}")
        if not self.has_exited:
            self._exited.set_result(end)

    async def _is_tidied(self, completing: asyncio.Task[None]) -> bool:
        """Whether it is removed, with all of its log copied; what its engine refuses is left to the next program."""
        try:
            await completing
            await self._api.remove(self._id)
        except RunnerUnavailable:
            return False
        except Refused as exc:
            _log.info("the container of %s cannot be removed: %s", self._log.run, exc)
        return True

    async def _after_its_end(self) -> Mapping[str, Any] | None:
        """What is known of it once it has ended; None where another program removed it, or started it again, so that
        no one knows how this run ended.
        """
        while True:
            self._look.clear()
            try:
                found = await self._api.container(self._id)
                self._on_look(None)
                if found is None or identity_of(self._api, found) != self.identity:
                    return None
                if not found["State"]["Running"]:
                    return found
                self._log.follow(self._scope)
            except RunnerUnavailable as exc:
                _log.info("nothing is known of the server %s at the moment: %s", self._log.run, exc)
                self._on_look(exc)
            except Refused as exc:
                _log.info("nothing is known of the server %s at the moment: %s", self._log.run, exc)
            await self._look.wait()


def identity_of(api: DockerApi, found: Mapping[str, Any]) -> str:
    """The container, this start of it, and the engine that has it."""
    return f"{found['Id']} {found['State']['StartedAt']} {api.socket}"


def exit_of(found: Mapping[str, Any], stopped_by: StopRung = StopRung.NONE) -> ServerExit:
    """How a container ended. The number alone does not say that memory was the reason: a limit or the kernel does."""
    state, code = found["State"], int(found["State"]["ExitCode"])
    killed = code == _SIGNALLED + signal.SIGKILL
    limited = killed and bool(found["HostConfig"].get("Memory")) and stopped_by is not StopRung.SIGKILL
    status = _SIGNALLED - code if _SIGNALLED < code < _SIGNALLED + signal.NSIG else code
    return ServerExit(status, stopped_by, out_of_memory=limited or bool(state.get("OOMKilled")))
