"""Separate threads for work that must go on while others wait for a dead network share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from gglib_desktop.domain.errors import RunnerUnavailable

P = ParamSpec("P")
T = TypeVar("T")


class InThread(Protocol):
    """Runs a blocking function off the loop, like asyncio.to_thread."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...


class Threads:
    """A few threads that other users of the loop cannot occupy. Made when they are first needed."""

    def __init__(self, most: int = 3) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="runner")
        self._under_way: set[asyncio.Future[Any]] = set()

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Like asyncio.to_thread. Raises: RunnerUnavailable after ``close``, and if the system has no thread left."""
        try:
            running = asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *args, **kwargs))
        except RuntimeError as exc:
            raise RunnerUnavailable(f"the runner has no threads: {exc}") from exc
        self._under_way.add(running)
        running.add_done_callback(self._under_way.discard)
        return await asyncio.shield(running)

    async def aclose(self, within_s: float = 2.0) -> None:
        """Takes no more work, and returns when all accepted work is done, or after ``within_s``.

        Work continues to its end even if its caller was cancelled.
        """
        self._pool.shutdown(wait=False)
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=within_s)
