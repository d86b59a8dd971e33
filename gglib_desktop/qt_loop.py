"""The program's asyncio event loop: qasync's, with its own scheduling of callbacks and timers (docs/adr/0003)."""

import asyncio
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

from PySide6.QtCore import QCoreApplication, QMetaObject, QObject, Qt, QTimer, QTimerEvent, Signal
from typing_extensions import override

# A QT_API for another program would make qasync load that program's binding.
os.environ["QT_API"] = "pyside6"

import qasync

_log = logging.getLogger(__name__)

# Qt counts 32-bit milliseconds, that is 24 days. Longer timers are started again every day.
_LONGEST_S = 86_400.0

_Callback = Callable[..., object]


class _Alarms(QObject):
    """Holds one Qt timer for each pending call and says when it is due: never early, and never after its cancel()."""

    due = Signal(object)  # asyncio.TimerHandle

    def __init__(self) -> None:
        super().__init__()
        self._handles: dict[int, asyncio.TimerHandle] = {}
        # By identity: asyncio treats two handles with the same time and callback as equal.
        self._timer_ids: dict[int, int] = {}

    def arm(self, handle: asyncio.TimerHandle, delay_s: float) -> None:
        # Rounded up, because Qt has no fractions; precise, because a coarse timer may be 5 % early.
        timer_id = self.startTimer(math.ceil(min(delay_s, _LONGEST_S) * 1000), Qt.TimerType.PreciseTimer)
        self._handles[timer_id] = handle
        self._timer_ids[id(handle)] = timer_id

    def disarm(self, handle: asyncio.TimerHandle) -> None:
        timer_id = self._timer_ids.pop(id(handle), None)
        if timer_id is not None:
            self.killTimer(timer_id)
            del self._handles[timer_id]

    def disarm_all(self) -> None:
        for handle in tuple(self._handles.values()):
            self.disarm(handle)

    @override
    def timerEvent(self, event: QTimerEvent) -> None:
        handle = self._handles[event.timerId()]
        self.disarm(handle)
        remaining_s = handle.when() - time.monotonic()
        if remaining_s > 0:
            self.arm(handle, remaining_s)
        else:
            self.due.emit(handle)


class _AsyncioMethods:
    """asyncio's own versions of methods that qasync replaces.

    With qasync's, run_until_complete() ends by delivering Qt events while no loop runs, get_exception_handler()
    always says None, and close() waits for busy workers.
    """

    run_until_complete = asyncio.BaseEventLoop.run_until_complete
    call_later = asyncio.BaseEventLoop.call_later
    call_soon_threadsafe = asyncio.BaseEventLoop.call_soon_threadsafe
    set_exception_handler = asyncio.BaseEventLoop.set_exception_handler
    default_exception_handler = asyncio.BaseEventLoop.default_exception_handler
    call_exception_handler = asyncio.BaseEventLoop.call_exception_handler
    set_default_executor = asyncio.BaseEventLoop.set_default_executor
    run_in_executor = asyncio.BaseEventLoop.run_in_executor


class QtEventLoop(_AsyncioMethods, qasync.QEventLoop):  # type: ignore[misc]  # qasync has no types
    """Runs asyncio's callbacks in order, one batch per Qt event; pauses in a nested Qt loop that a coroutine opened."""

    # The Windows variant, over IOCP, is inherited from qasync and has not been run.

    def __init__(self, app: QCoreApplication | None = None, *, already_running: bool = False) -> None:
        self._in_batch = False
        self._wake_posted = False
        self._exit_request: BaseException | None = None
        self._alarms = _Alarms()
        self._alarms.due.connect(self._add_callback)
        self._batch_timer = QTimer()  # of 0 ms
        self._batch_timer.timeout.connect(self._run_batch)
        super().__init__(app, already_running=already_running)
        self.set_default_executor(ThreadPoolExecutor(max_workers=4, thread_name_prefix="gglib"))

    @override
    def run_forever(self) -> int:
        self._check_closed()
        self._check_running()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        self._thread_id: int | None = threading.get_ident()
        if self._ready:
            self._batch_timer.start()
        try:
            exit_code: int = super().run_forever()
        finally:
            self._thread_id = None
            sys.set_asyncgen_hooks(*hooks)
        if self._exit_request is not None:
            request, self._exit_request = self._exit_request, None
            raise request
        return exit_code

    @override
    def close(self) -> None:
        if not self.is_running():
            self._dismiss_workers()
        super().close()
        self._alarms.disarm_all()
        self._batch_timer.stop()

    @override
    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._dismiss_workers()

    @override
    def call_soon(self, callback: _Callback, *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._check(callback, "call_soon")
        handle = asyncio.Handle(callback, args, self, context)
        self._add_callback(handle)
        return handle

    @override
    def call_at(
        self, when: float, callback: _Callback, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check(callback, "call_at")
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        delay_s = when - self.time()
        if delay_s > 0:
            self._alarms.arm(handle, delay_s)
        else:
            self._add_callback(handle)
        return handle

    def _check(self, callback: _Callback, method: str) -> None:
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, method)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._alarms.disarm(handle)

    def _add_callback(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        if not self._batch_timer.isActive():
            self._batch_timer.start()

    def _write_to_self(self) -> None:
        # Called on any thread, after it has added to the queue. A batch forgets the flag before it counts its
        # callbacks, so none is missed. One post each would delay the batch: Qt delivers posted events before timers.
        if not self._wake_posted:
            self._wake_posted = True
            QMetaObject.invokeMethod(self._batch_timer, "start", Qt.ConnectionType.QueuedConnection)

    def _run_batch(self) -> None:
        self._wake_posted = False
        if self._in_batch or not self.is_running():
            # asyncio cannot enter a task inside a task's step or between two runs; the end of those restarts the timer.
            self._batch_timer.stop()
            return
        self._in_batch = True
        try:
            # Callbacks that these add wait for the next batch, so that the GUI gets its turn.
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    self._run_handle(handle)
        except (SystemExit, KeyboardInterrupt) as request:
            # Cannot pass through Qt's C++ frames, where SystemExit would end the process at once.
            self._exit_request = request
            self.stop()
        finally:
            self._in_batch = False
            if not self._ready:
                self._batch_timer.stop()
            elif not self._batch_timer.isActive():
                self._batch_timer.start()

    def _run_handle(self, handle: asyncio.Handle) -> None:
        started_s = self.time()
        handle._run()  # noqa: SLF001  # the only way to run a handle
        if self._debug and (elapsed_s := self.time() - started_s) >= self.slow_callback_duration:
            # The handle of a task's step does not name the task.
            owner = getattr(getattr(handle, "_callback", None), "__self__", handle)
            _log.warning("%r took %.3f s", owner, elapsed_s)

    def _dismiss_workers(self) -> None:
        # Quitting does not wait for a thread that is reading a 40 GB file.
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False, cancel_futures=True)
