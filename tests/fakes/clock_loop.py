"""An event loop whose clock jumps: ten seconds of waiting take no time."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: it says how long it would have waited."""

    def __init__(self, jump: Callable[[float], None], may_jump: Callable[[], bool]) -> None:
        super().__init__()
        self._jump = jump
        self._may_jump = may_jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or (timeout > 0 and not self._may_jump()):
            return super().select(None)
        events = super().select(0)
        if not events and timeout > 0:
            self._jump(timeout)
        return events


class FakeClockLoop(asyncio.SelectorEventLoop):
    """For code that waits for timers and for threads. The clock stands still while threads work.

    Not for code that waits for sockets or other processes: the clock would jump before they answer.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._in_threads: set[asyncio.Future[Any]] = set()
        super().__init__(_JumpingSelector(self._advance, lambda: not self._in_threads))

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Without the limit of Python 3.12 and later, which would be over at once on this clock."""
        await super().shutdown_default_executor()

    def time(self) -> float:
        return self.now

    def run_in_executor(  # type: ignore[override]  # what typeshed says cannot be repeated here
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        work = super().run_in_executor(executor, func, *args)
        self._in_threads.add(work)
        work.add_done_callback(self._in_threads.discard)
        return work

    async def pass_time(self, seconds: float) -> None:
        """Returns when that much time has passed on this clock."""
        over = asyncio.Event()
        self.call_later(seconds, over.set)
        await over.wait()

    def _advance(self, seconds: float) -> None:
        self.now += seconds


async def time_passes(seconds: float) -> None:
    """On the clock of the running loop, which jumps."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeClockLoop)
    await loop.pass_time(seconds)


def now() -> float:
    """By the clock of the running loop."""
    return asyncio.get_running_loop().time()
