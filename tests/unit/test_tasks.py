"""Tasks with an owner."""

import asyncio
import logging

import pytest

from gglib_desktop.domain.errors import NotRunning
from gglib_desktop.tasks import LogReporter, TaskScope


class Reports:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[BaseException, str]] = []

    def report(self, error: BaseException, context: str) -> None:
        self.seen.append((error, context))


@pytest.fixture
def reports():
    return Reports()


async def forever():
    await asyncio.Event().wait()


async def fail(error: Exception):
    raise error


async def value():
    return 5


async def test_a_task_has_a_name_and_a_result(reports):
    async with TaskScope(reports) as scope:
        task = scope.start(value(), name="five")
        assert task.get_name() == "five"
        assert await task == 5
    assert reports.seen == []


async def test_closing_ends_all_tasks(reports):
    async with TaskScope(reports) as scope:
        tasks = [scope.start(forever(), name=str(n)) for n in range(3)]
    assert all(task.cancelled() for task in tasks)
    assert reports.seen == []


async def test_closing_waits_for_what_clean_up_takes(reports):
    cleaned = []

    async def careful():
        try:
            await forever()
        finally:
            await asyncio.wait({asyncio.ensure_future(value())})
            cleaned.append(True)

    async with TaskScope(reports) as scope:
        scope.start(careful(), name="careful")
        await asyncio.wait({asyncio.ensure_future(value())})
    assert cleaned == [True]


async def test_closing_ends_what_clean_up_started(reports):
    async def spawner():
        try:
            await forever()
        finally:
            late.append(scope.start(forever(), name="late"))

    late: list[asyncio.Task[None]] = []
    async with TaskScope(reports) as scope:
        scope.start(spawner(), name="spawner")
        await asyncio.wait({asyncio.ensure_future(value())})
    assert late[0].cancelled()


async def test_a_closed_scope_runs_nothing(reports):
    scope = TaskScope(reports)
    await scope.aclose()
    begun = []

    async def begin():
        begun.append(True)

    task = scope.start(begin(), name="too late")
    await asyncio.wait({task})
    assert task.cancelled()
    assert begun == []


async def test_a_task_may_close_its_own_scope(reports):
    scope = TaskScope(reports)
    other = scope.start(forever(), name="other")

    async def closer():
        await scope.aclose()
        return "closed"

    assert await scope.start(closer(), name="closer") == "closed"
    assert other.cancelled()


async def test_bugs_are_reported(reports):
    error = ZeroDivisionError("bug")
    async with TaskScope(reports) as scope:
        await asyncio.wait({scope.start(fail(error), name="buggy")})
    assert reports.seen == [(error, "task buggy")]


async def test_expected_errors_are_for_who_awaits(reports, caplog):
    async with TaskScope(reports) as scope:
        with caplog.at_level(logging.WARNING):
            await asyncio.wait({scope.start(fail(NotRunning("gone")), name="stop 7")})
    assert reports.seen == []
    assert caplog.messages == ["stop 7: gone"]


async def test_closing_twice_is_harmless(reports):
    scope = TaskScope(reports)
    await scope.aclose()
    await scope.aclose()


async def test_without_a_window_bugs_are_logged(caplog):
    error = ZeroDivisionError("bug")
    LogReporter().report(error, "task buggy")
    assert caplog.messages == ["unexpected error in task buggy"]
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error
