"""How long each rung of the stop ladder waits, by a clock that jumps."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gglib_desktop.adapters.places.local.free_ports import is_let_go
from gglib_desktop.adapters.places.stop_ladder import stop_process
from gglib_desktop.domain.errors import StopFailed
from gglib_desktop.domain.servers.failures import StopRung
from gglib_desktop.domain.servers.health import Usage
from tests.fakes.clock_loop import now
from tests.fakes.ports import some_base_port

pytestmark = pytest.mark.jumping_clock

GRACE_S = 40.0


class Climbed:
    """A process that ends ``after_s`` seconds after it got as many signals as ``ends_on`` says."""

    pid = 5_000_000
    refuses_signals = False

    def __init__(
        self, ends_on: int, after_s: float = 0.0, *, paused: bool = False, works: Callable[[], bool] = lambda: False
    ) -> None:
        self._ends_on = ends_on
        self._after_s = after_s
        self._paused = paused
        self._works = works
        self._cpu_s = 0.0
        self._ended = asyncio.Event()
        self.signals: list[tuple[float, signal.Signals]] = []
        self.rung = StopRung.NONE

    def usage(self) -> Usage | None:
        if self.poll():
            return None
        if self._works():
            self._cpu_s += 1
        return Usage(self._cpu_s, 0, paused=self._paused)

    def send(self, number: signal.Signals, rung: StopRung) -> None:
        self.signals.append((now(), number))
        self.rung = rung
        if len(self.signals) == self._ends_on:
            asyncio.get_running_loop().call_later(self._after_s, self._ended.set)

    def poll(self) -> bool:
        return self._ended.is_set()

    async def exits_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            pass
        return self.poll()


async def stop(process: Climbed) -> float:
    """The seconds that it took."""
    began_at = now()
    climbed: Any = process
    await stop_process(climbed, is_free=partial(is_let_go, some_base_port()), grace_s=GRACE_S)
    return now() - began_at


async def test_one_that_ends_when_asked_is_asked_once():
    process = Climbed(1, 0.5)
    assert await stop(process) == pytest.approx(0.5)
    assert process.signals == [(0, signal.SIGTERM)]


async def test_one_that_works_has_the_whole_grace():
    process = Climbed(1, GRACE_S - 0.01, works=lambda: True)
    assert await stop(process) == pytest.approx(GRACE_S - 0.01)
    assert process.rung is StopRung.SIGTERM


async def test_one_that_works_on_is_asked_again_and_then_killed():
    process = Climbed(3, works=lambda: True)
    assert await stop(process) == pytest.approx(GRACE_S + 1)
    times, numbers = zip(*process.signals, strict=True)
    assert numbers == (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)
    assert times == pytest.approx((0, GRACE_S, GRACE_S + 1))


async def test_one_that_hangs_is_asked_again_after_a_second():
    """It listens no more and does nothing."""
    process = Climbed(2)
    assert 1 <= await stop(process) < 1.5
    assert process.rung is StopRung.SECOND_SIGTERM


async def test_a_paused_one_is_woken_to_hear_it():
    process = Climbed(2, paused=True)
    assert await stop(process) == pytest.approx(0)
    assert [number for _at, number in process.signals] == [signal.SIGTERM, signal.SIGCONT]


async def test_one_that_survives_everything_is_given_up():
    process = Climbed(4, works=lambda: True)
    with pytest.raises(StopFailed, match="survived SIGKILL for 3 s"):
        await stop(process)
    assert now() == pytest.approx(GRACE_S + 1 + 3)
