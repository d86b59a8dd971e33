"""A command runs once at a time, can be cancelled, and tells what became of it."""

import asyncio

import pytest

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import AsyncCommand
from tests.fakes.supervision import KeptBugs
from tests.fakes.waiting import poll


class Action:
    """Waits until it is let go, then raises what it is given."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.began = 0
        self.ended = 0
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.began += 1
        await self.go.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
async def action() -> Action:
    return Action()


@pytest.fixture
def command(scope, action) -> AsyncCommand:
    return AsyncCommand(scope, action, name="act")


@pytest.fixture
def told(command) -> list[object]:
    """What the command's signals said."""
    told: list[object] = []
    command.busyChanged.connect(told.append)
    command.failed.connect(told.append)
    return told


async def test_it_is_busy_from_the_press_to_the_end(command, action, told):
    command.trigger()
    assert command.is_busy
    assert told == [True]
    action.go.set()
    await poll(lambda: not command.is_busy)
    assert told == [True, False]
    assert action.ended == 1


async def test_pressed_twice_it_runs_once(command, action, told):
    command.trigger()
    command.trigger()
    await poll(lambda: action.began)
    command.trigger()
    action.go.set()
    await poll(lambda: not command.is_busy)
    assert action.began == 1
    command.trigger()
    await poll(lambda: not command.is_busy)
    assert action.began == 2
    assert told == [True, False, True, False]


async def test_an_expected_error_is_told(command, action, told):
    action.error = LibraryError("the disk is full")
    action.go.set()
    command.trigger()
    await poll(lambda: not command.is_busy)
    assert told == [True, action.error, False]


async def test_a_bug_is_reported_and_the_command_can_be_used_again(action):
    kept = KeptBugs()
    async with TaskScope(kept) as scope:
        command = AsyncCommand(scope, action, name="act")
        action.error = ZeroDivisionError()
        action.go.set()
        command.trigger()
        await poll(lambda: not command.is_busy)
        assert kept.bugs == [action.error]
        command.trigger()
        assert command.is_busy
        await poll(lambda: not command.is_busy)


@pytest.mark.parametrize("begun", [False, True])
async def test_it_can_be_cancelled_at_any_time(command, action, told, begun):
    command.trigger()
    if begun:
        await poll(lambda: action.began)
    command.cancel()
    await poll(lambda: not command.is_busy)
    assert (action.began, action.ended) == (int(begun), 0)
    assert told == [True, False]


async def test_cancelling_what_does_not_run_is_harmless(command, told):
    command.cancel()
    assert told == []


async def test_closing_the_scope_ends_it(action, bugs, told):
    async with TaskScope(bugs) as scope:
        command = AsyncCommand(scope, action, name="act")
        command.trigger()
        await poll(lambda: action.began)
    assert not command.is_busy
    assert action.ended == 0
