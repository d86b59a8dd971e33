"""Tasks with an owner, and the one place where bugs are reported."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from gglib_desktop.domain.errors import GglibError

_log = logging.getLogger(__name__)
T = TypeVar("T")


class ErrorReporter(Protocol):
    """Receives unexpected exceptions."""

    def report(self, error: BaseException, context: str) -> None:
        """Logs a bug and tells the user. ``context`` names where it happened."""


class LogReporter:
    """Reports bugs to the log alone; for programs without a window."""

    def report(self, error: BaseException, context: str) -> None:
        _log.error("unexpected error in %s", context, exc_info=error)


class TaskScope:
    """Owns tasks: keeps and names them, reports the bugs they raise, and ends them all when it is closed.

    An expected error (GglibError) is for the code that awaits the task; here it is only logged.
    """

    def __init__(self, reporter: ErrorReporter) -> None:
        self._reporter = reporter
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Runs a coroutine as a task of this scope. In a closed scope the task is cancelled before its first step."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        if self._closed:
            task.cancel()
        return task

    async def aclose(self) -> None:
        """Cancels every task and waits until all have ended."""
        self._closed = True
        current = asyncio.current_task()
        while others := [task for task in self._tasks if task is not current]:
            for task in others:
                task.cancel()
            await asyncio.wait(others)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, GglibError):
            _log.warning("%s: %s", task.get_name(), error)
        else:
            self._reporter.report(error, f"task {task.get_name()}")
