"""Waiting in tests: for a condition, with a deadline, never for a fixed time."""

import asyncio
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
# Only ends a test that hangs: even a busy machine stays far below it.
DEADLINE_S = 60.0


async def poll(condition: Callable[[], T | Awaitable[T]], timeout_s: float = DEADLINE_S) -> T:
    """The first true answer of ``condition``, which may be a coroutine function; fails without one in time."""
    loop, deadline = asyncio.get_running_loop(), time.monotonic() + timeout_s
    while True:
        began_at = loop.time()
        answer = condition()
        result: T = await answer if inspect.isawaitable(answer) else answer
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"still {result!r} after {timeout_s:g} s: {inspect.getsource(condition).strip()}")
        # The other half of the time is left to the work.
        await asyncio.sleep(max(0.005, loop.time() - began_at))


@contextlib.contextmanager
def pauses_begun() -> Iterator[list[float]]:
    """The pauses, in seconds, that anything on the running loop begins inside. Checking repeatedly creates many."""
    loop: Any = asyncio.get_running_loop()
    pauses: list[float] = []

    def call_at(when: float, *arguments: Any, **context: Any) -> asyncio.TimerHandle:
        pauses.append(when - loop.time())
        handle: asyncio.TimerHandle = type(loop).call_at(loop, when, *arguments, **context)
        return handle

    loop.call_at = call_at
    try:
        yield pauses
    finally:
        del loop.call_at


async def reasons_told() -> None:
    """Returns when no task looks for the reason of an end any more: a busy machine shows an end before its reason."""
    await tasks_done("why it ")
    for _step in range(3):  # of those who waited for it
        await asyncio.sleep(0)


async def tasks_done(name: str) -> None:
    """Returns when no running task has a name that begins with this."""
    await poll(lambda: not any(task.get_name().startswith(name) for task in asyncio.all_tasks()))


async def tasks_begun(name: str) -> None:
    """Returns when a task whose name begins with this has had its first step."""
    await poll(lambda: any(task.get_name().startswith(name) for task in asyncio.all_tasks()))
    await asyncio.sleep(0)
