"""When the program ends, and what becomes of the servers."""

import asyncio
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, PlaceSettings
from gglib_desktop.domain.errors import SettingsError
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.quit_controller import QuitController, stop_servers
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.fakes.scripted_runner import OK, ScriptedRunner
from tests.fakes.settings import FakeSettingsStore
from tests.fakes.supervision import KeptBugs, Story
from tests.fakes.waiting import poll


class Person:
    """Answers the question with what the test says, and counts how often it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked: list[int] = []
        self.silent = asyncio.Event()
        self.question_gone = False

    async def ask(self, running):
        self.asked.append(running)
        if not self.answers:
            try:
                await self.silent.wait()
            finally:
                self.question_gone = True
        return self.answers.pop(0)


@pytest.fixture
def store():
    return FakeSettingsStore()


@pytest.fixture
def keeper(store):
    return SettingsKeeper(store)


@pytest.fixture
async def scope():
    async with TaskScope(LogReporter()) as scope:
        yield scope


def quitting(keeper, scope, person, *, running=2):
    async def count():
        return running

    return QuitController(keeper, count, person.ask, scope)


async def test_with_nothing_running_nobody_is_asked(keeper, scope):
    person = Person()
    quit_ = quitting(keeper, scope, person, running=0)
    quit_.wish()
    assert await quit_.decided() is OnQuit.STOP_ALL
    assert person.asked == []


async def test_what_the_person_chose_is_done_and_a_no_is_a_no(keeper, scope):
    person = Person((None, False), (OnQuit.LEAVE_RUNNING, False))
    quit_ = quitting(keeper, scope, person)
    decided = asyncio.ensure_future(quit_.decided())
    quit_.wish()
    await poll(lambda: person.asked == [2])
    assert not decided.done()
    quit_.wish()
    assert await decided is OnQuit.LEAVE_RUNNING
    assert keeper.current.on_quit is OnQuit.ASK


async def test_a_choice_is_remembered_if_wished(keeper, scope):
    quit_ = quitting(keeper, scope, Person((OnQuit.LEAVE_RUNNING, True)))
    quit_.wish()
    await quit_.decided()
    assert keeper.current.on_quit is OnQuit.LEAVE_RUNNING


async def test_an_order_never_asks_and_does_not_wait_for_an_answer(keeper, scope):
    person = Person()
    quit_ = quitting(keeper, scope, person)
    decided = asyncio.ensure_future(quit_.decided())
    quit_.wish()
    await poll(lambda: person.asked == [2])
    quit_.order()
    assert await decided is OnQuit.STOP_ALL
    await poll(lambda: person.question_gone)


async def test_once_it_is_decided_nothing_waits_for_an_order(keeper, scope):
    quit_ = quitting(keeper, scope, Person(), running=0)
    quit_.wish()
    await quit_.decided()
    await poll(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_cancel_is_never_remembered(keeper, scope):
    person = Person((None, True), (OnQuit.STOP_ALL, False))
    quit_ = quitting(keeper, scope, person)
    decided = asyncio.ensure_future(quit_.decided())
    quit_.wish()
    await poll(lambda: person.asked == [2])
    quit_.wish()
    assert await decided is OnQuit.STOP_ALL
    assert keeper.current.on_quit is OnQuit.ASK


async def test_what_cannot_be_remembered_is_done_all_the_same(keeper, scope, store):
    store.problem = SettingsError("the disk is full")
    quit_ = quitting(keeper, scope, Person((OnQuit.LEAVE_RUNNING, True)))
    quit_.wish()
    assert await quit_.decided() is OnQuit.LEAVE_RUNNING


@pytest.mark.parametrize("setting", [OnQuit.STOP_ALL, OnQuit.LEAVE_RUNNING])
async def test_a_setting_decides_without_a_question(keeper, scope, setting):
    await keeper.change(on_quit=setting)
    person = Person()
    for act in (QuitController.wish, QuitController.order):
        quit_ = quitting(keeper, scope, person)
        act(quit_)
        assert await quit_.decided() is setting
    assert person.asked == []


async def test_before_there_is_a_decision_it_is_an_orders(keeper, scope):
    assert quitting(keeper, scope, Person()).decision is OnQuit.STOP_ALL


async def test_a_persons_decision_stands(keeper, scope):
    quit_ = quitting(keeper, scope, Person((OnQuit.LEAVE_RUNNING, False)))
    quit_.wish()
    await quit_.decided()
    assert quit_.decision is OnQuit.LEAVE_RUNNING


PLACES = {
    "kept": PlaceSettings(url="docker:a"),
    "ended": PlaceSettings(url="docker:a", on_quit=OnQuit.STOP_ALL),
    "slow": PlaceSettings(url="docker:a", on_quit=OnQuit.STOP_ALL),
}


@pytest.mark.jumping_clock
@pytest.mark.parametrize("on_quit", [OnQuit.STOP_ALL, OnQuit.LEAVE_RUNNING])
async def test_each_place_is_quit_as_it_says_and_none_elsewhere_holds_the_program_up(on_quit, caplog):
    runner, loop = ScriptedRunner(), asyncio.get_running_loop()
    supervisor = Supervisor(runner, runner, KeptBugs())
    story = Story(supervisor)
    ids = {}
    for number, place in enumerate(("local", *PLACES), 1):
        config = ServerConfig(number, f"Model {place}", Path("/m.gguf"), 9000, place=place)
        ids[place] = supervisor.start(config)
        await poll(lambda: len(runner.servers) == number)  # noqa: B023  # asked at once
        runner.last.answer = OK
        runner.last.ends_on_stop = place != "slow"
        await story.reaches(ids[place], "Healthy")
    began_at = loop.time()
    await stop_servers(supervisor, AppSettings(places=PLACES), on_quit)
    assert loop.time() - began_at < 15
    words = {place: story.state(server_id).word for place, server_id in ids.items()}
    here = "Stopped" if on_quit is OnQuit.STOP_ALL else "Healthy"
    assert (words["local"], words["kept"], words["ended"]) == (here, "Healthy", "Stopped")
    assert "could not stop Model slow at slow" in caplog.text
    await supervisor.aclose()
