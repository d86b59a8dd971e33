"""An event loop whose clock jumps: ten seconds of waiting take no time."""

import asyncio
import selectors
from collections.abc import Callable


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: it says instead how long it would have waited."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(None if timeout is None else 0)
        if not events and timeout is not None and timeout > 0:
            self._jump(timeout)
        return events


class FakeClockLoop(asyncio.SelectorEventLoop):
    """For code that only waits: what a thread does takes no time here, so no test on this loop may use one."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_JumpingSelector(self._advance))

    def time(self) -> float:
        return self.now

    async def pass_time(self, seconds: float) -> None:
        """Returns when that much time has passed on this clock."""
        over = asyncio.Event()
        self.call_later(seconds, over.set)
        await over.wait()

    def _advance(self, seconds: float) -> None:
        self.now += seconds
