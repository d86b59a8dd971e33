"""Actions that a button triggers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Signal, SignalInstance, Slot

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.tasks import TaskScope


async def reported(action: Awaitable[object], failed: SignalInstance) -> None:
    """Awaits an action; ``failed`` reports an expected error, a GglibError."""
    try:
        await action
    except GglibError as exc:
        failed.emit(exc)


class ViewModel(QObject):
    """Runs tasks; ``failed`` reports their expected errors."""

    failed = Signal(object)  # GglibError

    def __init__(self, scope: TaskScope) -> None:
        super().__init__()
        self._scope = scope

    def run(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        """Also for coroutines of views, such as a dialog."""
        self._scope.start(reported(coroutine, self.failed), name=name)

    def command(self, action: Callable[[], Awaitable[object]], name: str) -> AsyncCommand:
        """A command whose errors ``failed`` tells too."""
        command = AsyncCommand(self._scope, action, name=name)
        command.failed.connect(self.failed)
        return command


class AsyncCommand(QObject):
    """Runs an action at most once at a time, can be cancelled, and reports expected errors."""

    busyChanged = Signal(bool)
    failed = Signal(object)  # GglibError

    def __init__(self, scope: TaskScope, action: Callable[[], Awaitable[object]], *, name: str) -> None:
        super().__init__()
        self._scope = scope
        self._action = action
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    @Slot()
    def trigger(self) -> None:
        """Starts the action unless it is running."""
        if self._task is None:
            self._task = self._scope.start(self._run(), name=self._name)
            self._task.add_done_callback(self._finished)
            self.busyChanged.emit(True)

    @Slot()
    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        await reported(self._action(), self.failed)

    def _finished(self, _task: asyncio.Task[None]) -> None:
        # Not a ``finally`` in _run: a task cancelled before its first step never enters the body.
        self._task = None
        self.busyChanged.emit(False)
