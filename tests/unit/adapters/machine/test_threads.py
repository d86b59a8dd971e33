"""Threads that a runner has for itself."""

import asyncio
import threading

import pytest

from gglib_desktop.adapters.machine.threads import Threads
from gglib_desktop.domain.errors import RunnerUnavailable
from tests.fakes.waiting import DEADLINE_S


async def cancelled_in_the_middle(threads, until):
    """Work that has begun and goes on, though its waiter is gone."""
    begun, done = threading.Event(), threading.Event()

    def work():
        begun.set()
        until.wait(10)
        done.set()

    waiter = asyncio.ensure_future(threads.run(work))
    await asyncio.to_thread(begun.wait, DEADLINE_S)
    waiter.cancel()
    await asyncio.wait({waiter})
    return done


async def test_closing_waits_for_work_whose_waiter_was_cancelled():
    threads, until = Threads(1), threading.Event()
    done = await cancelled_in_the_middle(threads, until)
    closing = asyncio.ensure_future(threads.aclose(within_s=DEADLINE_S))
    for _turn in range(10):
        await asyncio.sleep(0)
    assert not closing.done()
    until.set()
    await closing
    assert done.is_set()


async def test_closing_does_not_wait_for_ever():
    threads, until = Threads(1), threading.Event()
    done = await cancelled_in_the_middle(threads, until)
    await threads.aclose(within_s=0.01)
    assert not done.is_set()
    until.set()


async def test_work_that_failed_does_not_fail_the_closing():
    threads = Threads(1)
    failing = asyncio.ensure_future(threads.run(int, "x"))
    await asyncio.sleep(0)
    await threads.aclose()
    with pytest.raises(ValueError, match="invalid literal"):
        await failing


async def test_nothing_is_taken_after_closing():
    threads = Threads(1)
    await threads.aclose()
    with pytest.raises(RunnerUnavailable):
        await threads.run(int)
