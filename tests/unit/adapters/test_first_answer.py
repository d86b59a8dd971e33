"""How long, and how often, a program is asked that was started and says nothing."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gglib_desktop.adapters.engines.llama_cpp.driver import LlamaProcessReader
from gglib_desktop.adapters.machine.log_files import LogFolder
from gglib_desktop.adapters.places.folder_logs import FolderLogs
from gglib_desktop.adapters.runner.first_start import first_answer
from gglib_desktop.domain.errors import HealthCheckFailed, StartFailed
from gglib_desktop.domain.llama_cpp.diagnosis import diagnose
from gglib_desktop.domain.servers.access import ServerAddress
from gglib_desktop.domain.servers.failures import Failure, ServerExit
from gglib_desktop.domain.servers.health import Probe, ProbeResult, Usage
from gglib_desktop.domain.servers.record import ServerRecord
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.ports.servers.place import Claim
from tests.fakes.clock_loop import FakeClockLoop

RECORD = ServerRecord("run", ServerConfig(1, "Tiny", Path("/models/tiny.gguf"), 9000), 9000, "serve")


class Silent:
    """A process that runs and never listens, and its client. ``works`` tells by the time."""

    pid = 5_000_000
    reader = LlamaProcessReader()
    logs = FolderLogs(LogFolder(Path("no such folder")), asyncio.to_thread)
    result = ProbeResult.REFUSED
    outage = None

    def __init__(self, works: Callable[[float], bool]) -> None:
        self._works = works
        self._ended = asyncio.Event()
        self._cpu_s = 0.0
        self.asked_at: list[float] = []

    @property
    def has_exited(self) -> bool:
        return self._ended.is_set()

    def poll(self) -> bool:
        return self.has_exited

    def end(self) -> None:
        self._ended.set()

    async def exits_within(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return self.has_exited

    async def wait(self) -> ServerExit:
        await self._ended.wait()
        return ServerExit(-9)

    def usage(self) -> Usage:
        if self._works(asyncio.get_running_loop().time()):
            self._cpu_s += 1
        return Usage(self._cpu_s, 0)

    async def claim(self, _record: ServerRecord, _process: object) -> Claim:
        return Claim(None, stranger="nginx (pid 7)")

    def reach(self, record: ServerRecord, _key: str | None) -> ServerAddress:
        return ServerAddress(record.port)

    def diagnose(self, end: ServerExit, log: Sequence[str]) -> Failure:
        return diagnose(end, log)

    async def probe(self, _server: ServerAddress, _timeout_s: float) -> Probe:
        self.asked_at.append(asyncio.get_running_loop().time())
        return Probe(self.result)


def given_up_at(silent: Silent, says: str = "does not answer on port 9000$") -> float:
    process: Any = silent

    async def ask() -> float:
        with pytest.raises(HealthCheckFailed, match=says):
            await first_answer(process, RECORD, process, process)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        return runner.run(ask())


def test_one_that_does_nothing_is_given_up_after_a_minute():
    assert 60 < given_up_at(Silent(lambda _now: False)) < 61


def test_one_that_works_is_given_a_minute_more():
    """As one that reads gigabytes of libraries from a slow disk."""
    assert 150 < given_up_at(Silent(lambda now: now < 90)) < 152


def test_it_is_asked_soon_and_then_ever_less_often():
    silent = Silent(lambda _now: False)
    given_up_at(silent)
    pauses = [round(after - before, 6) for before, after in zip(silent.asked_at, silent.asked_at[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.01
    assert pauses[-1] == pytest.approx(0.25)
    assert sum(at < 0.1 for at in silent.asked_at) >= 10, "a usual start is not held up"


def test_who_answers_in_its_place_is_named():
    silent = Silent(lambda _now: False)
    silent.result = ProbeResult.OK
    assert 60 < given_up_at(silent, r"does not answer on port 9000, where nginx \(pid 7\) answers$") < 61


class Held(Silent):
    """One whose port another program has, which takes the question and never answers."""

    async def probe(self, _server: ServerAddress, _timeout_s: float) -> Probe:
        self.asked_at.append(asyncio.get_running_loop().time())
        asyncio.get_running_loop().call_later(0.01, self.end)
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


def test_an_end_is_seen_at_once_while_somebody_else_holds_the_question():
    async def ask() -> float:
        process: Any = Held(lambda _now: False)
        with pytest.raises(StartFailed, match="signal 9"):
            await first_answer(process, RECORD, process, process)
        (asked_at,) = process.asked_at
        return asyncio.get_running_loop().time() - float(asked_at)

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        assert runner.run(ask()) < 0.05
