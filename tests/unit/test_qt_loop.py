"""What our event loop promises beyond asyncio's own contract, and the traps of stock qasync that it must not have."""

import asyncio
import contextlib
import contextvars
import itertools
import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QAbstractEventDispatcher, QCoreApplication, QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from gglib_desktop import qt_loop
from gglib_desktop.qt_loop import QtEventLoop

DEADLINE_S = 60.0

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run(qapp: QApplication) -> Run:
    qapp.setQuitOnLastWindowClosed(False)

    def run_to_its_end(main: Coroutine[Any, Any, Any]) -> Any:
        started_s = time.monotonic()
        with asyncio.Runner(loop_factory=lambda: QtEventLoop(qapp)) as runner:
            result = runner.run(asyncio.wait_for(main, DEADLINE_S))
        # A lost wake-up is made good by the timer of that deadline, and would not show otherwise.
        assert time.monotonic() - started_s < DEADLINE_S
        return result

    return run_to_its_end


def running_loop() -> QtEventLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, QtEventLoop)
    return loop


def live_qt_timers(loop: QtEventLoop) -> int:
    return len(QAbstractEventDispatcher.instance().registeredTimers(loop._alarms))


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # no event tells; the deadline in run() ends it
        await asyncio.sleep(0.001)


async def tick(ticks: list[int]) -> None:
    for number in range(10):
        await asyncio.sleep(0.001)
        ticks.append(number)


@contextlib.contextmanager
def readable_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    yield reader
    os.close(reader)
    os.close(writer)


def run_nested_qt_loop(duration_ms: int) -> None:
    nested = QEventLoop()
    QTimer.singleShot(duration_ms, nested.quit)
    nested.exec()


class Recorder(QObject):
    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def customEvent(self, event: QEvent) -> None:  # noqa: N802  # Qt's name
        self.seen.append("Qt event")


# -- Callbacks ---------------------------------------------------------------------------------------------------------


def test_callbacks_run_in_the_order_of_their_calls(run: Run) -> None:
    async def main() -> list[int]:
        loop, seen = running_loop(), list[int]()
        done = loop.create_future()
        for number in range(0, 300, 3):
            loop.call_soon(seen.append, number)
            loop.call_later(0, seen.append, number + 1)
            loop.call_soon_threadsafe(seen.append, number + 2)
        loop.call_soon(done.set_result, None)
        await done
        return seen

    assert run(main()) == list(range(300))


def test_one_qt_event_runs_one_batch(run: Run) -> None:
    async def main() -> list[str]:
        loop, seen = running_loop(), list[str]()
        done, recorder = loop.create_future(), Recorder(seen)

        def first() -> None:
            seen.append("first")
            QCoreApplication.postEvent(recorder, QEvent(QEvent.Type.User))
            loop.call_soon(seen.append, "added")
            loop.call_soon(done.set_result, None)

        loop.call_soon(first)
        loop.call_soon(seen.append, "second")
        await done
        return seen

    assert run(main()) == ["first", "second", "Qt event", "added"]


def test_a_busy_task_leaves_the_gui_its_turns(run: Run) -> None:
    async def main() -> int:
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1

        timer = QTimer(interval=1)
        timer.timeout.connect(turn)
        timer.start()
        for _ in range(200_000):
            await asyncio.sleep(0)
            if turns == 20:
                break
        return turns

    assert run(main()) == 20


def test_a_cancelled_callback_does_not_run(run: Run) -> None:
    async def main() -> list[str]:
        loop, seen = running_loop(), list[str]()
        loop.set_exception_handler(lambda _loop, context: seen.append(str(context)))
        loop.call_soon_threadsafe(seen.append, "cancelled").cancel()

        def cancel_the_next() -> None:
            the_next.cancel()

        loop.call_soon(cancel_the_next)
        the_next = loop.call_later(0, seen.append, "cancelled in its own batch")
        loop.call_soon(seen.append, "kept")
        for _ in range(3):
            await asyncio.sleep(0)
        return seen

    assert run(main()) == ["kept"]


def test_an_error_in_a_callback_reaches_the_exception_handler(run: Run) -> None:
    async def main() -> None:
        loop, errors = running_loop(), list[str]()

        def handler(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            errors.append(str(context["exception"]))

        def fail(where: str) -> None:
            raise LookupError(where)

        loop.set_exception_handler(handler)
        assert loop.get_exception_handler() is handler
        with readable_pipe() as reader:

            def read() -> None:
                loop.remove_reader(reader)
                fail("reader")

            loop.add_reader(reader, read)
            loop.call_soon(fail, "soon")
            loop.call_later(0.001, fail, "later")
            await until(lambda: len(errors) == 3)
        assert set(errors) == {"soon", "reader", "later"}

    run(main())


def test_exit_from_a_task_reaches_the_caller_of_run(run: Run) -> None:
    cleaned_up = []

    async def main() -> None:
        try:
            sys.exit(7)
        finally:
            cleaned_up.append(True)

    with pytest.raises(SystemExit) as caught:
        run(main())
    assert caught.value.code == 7
    assert cleaned_up == [True]


def test_an_abandoned_async_generator_is_closed_by_the_loop(run: Run) -> None:
    closed = []

    async def numbers() -> Any:
        try:
            for number in itertools.count():
                yield number
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def main() -> None:
        async for number in numbers():
            if number == 2:
                break
        await until(lambda: closed)

    run(main())


def test_debug_mode_tells_slow_callbacks_and_foreign_threads(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def hold_up() -> None:
        time.sleep(0.02)  # noqa: ASYNC251  # blocking is what it is about

    async def main() -> None:
        loop = running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.01
        await asyncio.create_task(hold_up(), name="the culprit")
        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            await asyncio.to_thread(loop.call_soon, print)
        with pytest.raises(TypeError):
            loop.call_soon(hold_up)

    with caplog.at_level(logging.WARNING, qt_loop.__name__):
        run(main())
    assert any("the culprit" in record.getMessage() for record in caplog.records)


# -- Timers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay_s", [0.0004, 0.0011, 0.0107, 0.05])
def test_sleep_never_returns_early(run: Run, delay_s: float) -> None:
    async def main() -> None:
        loop = running_loop()
        for _ in range(10):
            started_s = loop.time()
            await asyncio.sleep(delay_s)
            assert loop.time() - started_s >= delay_s

    run(main())


def test_a_delay_longer_than_qt_can_count_is_armed_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qt_loop, "_LONGEST_S", 0.01)

    async def main() -> None:
        loop = running_loop()
        started_s = loop.time()
        await asyncio.sleep(0.035)
        assert loop.time() - started_s >= 0.035
        assert live_qt_timers(loop) == 1  # the deadline in run()

    run(main())


@pytest.mark.parametrize("delay_s", [60 * 86_400.0, math.inf])
def test_very_long_delays_are_accepted(run: Run, delay_s: float) -> None:
    async def main() -> None:
        loop = running_loop()
        handle = loop.call_later(delay_s, pytest.fail, "fired")
        assert isinstance(handle, asyncio.TimerHandle)
        assert handle.when() >= loop.time() + 59 * 86_400
        await asyncio.sleep(0.005)
        handle.cancel()

    run(main())


def test_a_cancelled_timer_is_gone_at_once(run: Run) -> None:
    async def main() -> None:
        loop = running_loop()
        before = live_qt_timers(loop)
        for _ in range(1000):
            await asyncio.wait_for(asyncio.sleep(0), 3600)
        assert live_qt_timers(loop) == before
        handles = [loop.call_later(3600, print) for _ in range(10)]
        assert live_qt_timers(loop) == before + 10
        for handle in handles:
            handle.cancel()
        assert live_qt_timers(loop) == before

    run(main())


def test_cancelling_a_timer_spares_its_equals_and_successors(run: Run) -> None:
    async def main() -> list[str]:
        loop, seen = running_loop(), list[str]()
        when = loop.time() + 0.01
        first = loop.call_at(when, seen.append, "one")
        twin = loop.call_at(when, seen.append, "one")
        assert first == twin
        first.cancel()
        await until(lambda: seen)
        successor_ran = loop.create_future()
        loop.call_later(0.001, successor_ran.set_result, None)
        twin.cancel()
        await successor_ran
        return seen

    assert run(main()) == ["one"]


# -- Nested Qt event loops ---------------------------------------------------------------------------------------------


def test_a_nested_qt_loop_inside_a_coroutine_pauses_asyncio(run: Run) -> None:
    async def main() -> None:
        loop, ticks, errors = running_loop(), list[int](), list[dict[str, Any]]()
        loop.set_exception_handler(lambda _loop, context: errors.append(context))
        readable = asyncio.Event()
        with readable_pipe() as reader:
            loop.add_reader(reader, readable.set)
            ticker = asyncio.create_task(tick(ticks))
            awaited = asyncio.create_task(asyncio.sleep(0, "result"))
            loop.call_soon_threadsafe(ticks.append, -1)

            run_nested_qt_loop(60)

            assert ticks == []
            assert not readable.is_set()
            await ticker
            await readable.wait()
            loop.remove_reader(reader)
        assert await awaited == "result"
        assert sorted(ticks) == [-1, *range(10)]
        assert errors == []

    run(main())


def test_a_nested_qt_loop_inside_a_slot_keeps_asyncio_running(run: Run) -> None:
    async def main() -> None:
        loop, ticks = running_loop(), list[int]()
        done = loop.create_future()

        def slot() -> None:
            nested = QEventLoop()
            ticker = loop.create_task(tick(ticks))
            ticker.add_done_callback(lambda _: nested.quit())
            QTimer.singleShot(int(DEADLINE_S * 1000), nested.quit)
            nested.exec()
            done.set_result(len(ticks))

        QTimer.singleShot(0, slot)
        assert await done == 10

    run(main())


# -- Threads, descriptors, signals -------------------------------------------------------------------------------------


def test_other_threads_wake_an_idle_loop(run: Run) -> None:
    value: contextvars.ContextVar[str] = contextvars.ContextVar("value", default="none")
    context = contextvars.copy_context()
    context.run(value.set, "from the thread")

    async def main() -> None:
        loop = running_loop()
        done = loop.create_future()

        def answer() -> None:
            done.set_result((value.get(), threading.get_ident()))

        thread = threading.Timer(0.02, loop.call_soon_threadsafe, (answer,), {"context": context})
        thread.start()
        try:
            assert await done == ("from the thread", threading.get_ident())
        finally:
            thread.join()

    run(main())


def test_no_call_from_many_threads_is_lost(run: Run) -> None:
    async def main() -> None:
        loop, seen = running_loop(), list[tuple[int, int]]()

        def flood(thread: int) -> None:
            for number in range(2000):
                loop.call_soon_threadsafe(seen.append, (thread, number))

        await asyncio.gather(*(asyncio.to_thread(flood, thread) for thread in range(4)))
        await until(lambda: len(seen) == 8000)
        for thread in range(4):
            assert [number for owner, number in seen if owner == thread] == list(range(2000))

    run(main())


def test_to_thread_uses_our_own_workers(run: Run) -> None:
    async def main() -> str:
        return await asyncio.to_thread(lambda: threading.current_thread().name)

    assert run(main()).startswith("gglib")


def test_a_busy_worker_does_not_hold_up_the_end(run: Run) -> None:
    started, release, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(DEADLINE_S)
        finished.set()

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(asyncio.to_thread(work))
        await until(started.is_set)
        return task

    try:
        task = run(main())
        assert task.cancelled()
        assert not finished.is_set()
    finally:
        release.set()
    assert finished.wait(DEADLINE_S)


def test_closing_a_loop_drops_the_work_that_no_worker_has_begun(qapp: QApplication) -> None:
    release, begun = threading.Event(), list[int]()

    def work(number: int) -> None:
        begun.append(number)
        release.wait(DEADLINE_S)

    with contextlib.closing(QtEventLoop(qapp)) as loop:
        jobs = [loop._default_executor.submit(work, number) for number in range(6)]
    release.set()
    assert [job.cancelled() for job in jobs] == [False] * 4 + [True] * 2
    assert [job.result(DEADLINE_S) for job in jobs[:4]] == [None] * 4
    assert sorted(begun) == [0, 1, 2, 3]


def test_the_executor_refuses_work_after_its_shutdown(run: Run) -> None:
    async def main() -> None:
        await running_loop().shutdown_default_executor()
        with pytest.raises(RuntimeError, match="shutdown"):
            await asyncio.to_thread(print)

    run(main())


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="pidfd is Linux's")
def test_the_exit_of_a_child_arrives_through_its_pidfd(run: Run) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(5)"], stdin=subprocess.PIPE)

    async def main() -> None:
        loop, exited = running_loop(), asyncio.Event()
        pidfd = os.pidfd_open(child.pid)
        loop.add_reader(pidfd, exited.set)
        assert child.stdin is not None
        loop.call_later(0.01, child.stdin.close)
        await exited.wait()
        loop.remove_reader(pidfd)
        os.close(pidfd)

    try:
        run(main())
        assert child.wait(0) == 5
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no add_signal_handler")
def test_sigterm_wakes_an_idle_loop(run: Run) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        killer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGTERM))
        killer.start()
        await stop.wait()
        killer.join()

    before = signal.getsignal(signal.SIGTERM)
    run(main())
    assert signal.getsignal(signal.SIGTERM) == before


def test_streams_carry_data_both_ways(run: Run) -> None:
    payload = os.urandom(1 << 20)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(-1))
        await writer.drain()
        writer.close()

    async def main() -> bytes:
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(payload)
            writer.write_eof()
            answer = await reader.read(-1)
            writer.close()
            await writer.wait_closed()
        return answer

    assert run(main()) == payload


# -- Beginning and end -------------------------------------------------------------------------------------------------


def test_three_loops_in_one_process_close_clean(run: Run) -> None:
    async def main() -> tuple[QtEventLoop, asyncio.Task[None], asyncio.Task[None]]:
        loop = running_loop()
        loop.call_later(3600, print)
        tasks = asyncio.create_task(until(lambda: False)), asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0.005)
        loop.call_soon_threadsafe(int)
        return loop, *tasks

    for _ in range(3):
        loop, *tasks = run(main())
        assert all(task.cancelled() for task in tasks)
        assert loop.is_closed()
        assert live_qt_timers(loop) == 0
        assert not loop._batch_timer.isActive()
        QApplication.processEvents()
        for schedule, args in ((loop.call_soon, ()), (loop.call_soon_threadsafe, ()), (loop.call_later, (1,))):
            with pytest.raises(RuntimeError, match="closed"):
                schedule(*args, print)


def test_callbacks_wait_while_the_loop_does_not_run(qapp: QApplication) -> None:
    with contextlib.closing(QtEventLoop(qapp)) as loop:
        future = loop.create_future()
        loop.call_later(0.001, future.set_result, "late")
        loop.call_soon(int)
        run_nested_qt_loop(20)
        assert not future.done()
        assert loop.run_until_complete(future) == "late"
        loop.call_soon(pytest.fail, "ran after the end")
    assert not loop._batch_timer.isActive()


def test_qt_events_find_a_running_loop_up_to_the_end(qapp: QApplication) -> None:
    found: list[bool] = []

    def slot() -> None:
        found.append(asyncio._get_running_loop() is not None)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: QTimer.singleShot(0, slot))

    with asyncio.Runner(loop_factory=lambda: QtEventLoop(qapp)) as runner:
        runner.run(main())
        runner.run(asyncio.sleep(0.005))
    assert found == [True]


def test_a_loop_over_a_running_application(qapp: QApplication) -> None:
    ticks: list[int] = []
    loop = QtEventLoop(qapp, already_running=True)
    try:
        nested = QEventLoop()
        task = loop.create_task(asyncio.wait_for(tick(ticks), DEADLINE_S))
        task.add_done_callback(lambda _: nested.quit())
        nested.exec()
    finally:
        loop.stop()
        asyncio.events._set_running_loop(None)
        loop.close()
    assert ticks == list(range(10))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal since 3.12")
def test_qt_calls_keep_their_references_to_none(qapp: QApplication) -> None:
    # PySide6 6.12.0 drops one reference for each call without a result, until the interpreter dies.
    widget = QWidget()
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.update()
    assert sys.getrefcount(None) > before - 500
