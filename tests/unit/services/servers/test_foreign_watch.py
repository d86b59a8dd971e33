"""Looking after the servers that other programs started."""

from dataclasses import replace

import pytest

from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.errors import NotRunning, RunnerUnavailable, StopFailed
from gglib_desktop.domain.servers.states import Loading
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.services.servers.snapshot import ServersAdopted
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from tests.fakes.clock_loop import time_passes
from tests.fakes.foreign import FakeForeignServers, some_server
from tests.fakes.library import some_facts
from tests.fakes.scripted_runner import ScriptedRunner
from tests.fakes.supervision import Story
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock


@pytest.fixture
async def scripted() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
async def foreign(scripted) -> FakeForeignServers:
    return FakeForeignServers(scripted, some_server(1), some_server(2))


@pytest.fixture
async def supervisor(scripted, bugs):
    supervisor = Supervisor(scripted, scripted, bugs)
    yield supervisor
    await supervisor.aclose()


@pytest.fixture
async def watch(foreign, supervisor, library, bugs):
    async with TaskScope(bugs) as scope:
        yield ForeignWatch(foreign, supervisor, library, scope, interval_s=10)


@pytest.fixture
def told(watch) -> list[list[int]]:
    """The pids that were told, each time."""
    told: list[list[int]] = []
    watch.subscribe(lambda servers: told.append([server.pid for server in servers]))
    return told


async def test_what_is_found_is_told_when_it_differs(watch, foreign, told):
    await watch.look()
    await watch.look()
    foreign.servers[0] = replace(foreign.servers[0], rss_bytes=5)
    await watch.look()
    foreign.servers.clear()
    assert await watch.look() == ()
    assert told == [[1, 2], [1, 2], []]


async def test_it_looks_only_while_somebody_sees_it(watch, foreign):
    watch.begin()
    watch.begin()
    await time_passes(60)
    assert foreign.looks == 0
    watch.set_visible(True)
    await time_passes(25)
    assert foreign.looks == 3
    watch.set_visible(False)
    await time_passes(60)
    assert foreign.looks == 3


async def test_it_goes_on_when_it_could_not_look(watch, foreign, told):
    foreign.look_error = RunnerUnavailable("in use")
    watch.set_visible(True)
    watch.begin()
    await poll(lambda: foreign.looks >= 2)
    foreign.look_error = None
    await poll(lambda: told)


async def test_who_asks_is_told_why_it_could_not_look(watch, foreign):
    foreign.look_error = RunnerUnavailable("in use")
    with pytest.raises(RunnerUnavailable):
        await watch.look()


async def test_an_ignored_one_stays_out_until_somebody_asks_for_all(watch, told):
    await watch.look()
    watch.ignore(watch.servers[0])
    await watch.look()
    assert told == [[1, 2], [2]]
    assert [server.pid for server in await watch.look(at_all=True)] == [1, 2]
    assert told[-1] == [1, 2]


async def test_a_new_process_with_an_ignored_pid_is_shown(watch, foreign, told):
    await watch.look()
    watch.ignore(watch.servers[0])
    foreign.servers[0] = some_server(1, identity="a later one")
    await watch.look()
    assert told[-1] == [1, 2]


async def test_adopting_makes_it_a_server_of_ours(watch, foreign, supervisor, told):
    story = Story(supervisor)
    (server, _other) = await watch.look()
    server_id = await watch.adopt(server)
    snapshot = supervisor.server(server_id)
    assert isinstance(snapshot.state, Loading)
    assert snapshot.adopted
    assert snapshot.config.model_id == -1
    assert told[-1] == [2]
    assert not [event for event in story.events if isinstance(event, ServersAdopted)]
    assert await supervisor.adopt() == 0, "it is known already"


async def test_a_model_of_the_library_keeps_its_name_and_id(watch, foreign, supervisor, library, files):
    (model,) = await library.add([files.make("mine.gguf", some_facts("Mine"))])
    foreign.servers[:] = [some_server(1, model_path=model.path)]
    (server,) = await watch.look()
    config = supervisor.server(await watch.adopt(server)).config
    assert (config.model_id, config.model_name) == (model.id, "Mine")


async def test_one_that_is_gone_cannot_be_adopted_and_vanishes(watch, foreign, supervisor, told):
    (server, _other) = await watch.look()
    foreign.servers.remove(server)
    with pytest.raises(NotRunning):
        await watch.adopt(server)
    assert told[-1] == [2]
    assert supervisor.servers == ()


async def test_stopping_ends_the_chosen_one_alone(watch, foreign, told):
    (server, _other) = await watch.look()
    await watch.stop(server)
    assert foreign.stopped == [server]
    assert told[-1] == [2]


async def test_stopping_one_that_is_gone_is_what_was_wanted(watch, foreign, told):
    (server, _other) = await watch.look()
    foreign.servers.remove(server)
    await watch.stop(server)
    assert foreign.stopped == []
    assert told[-1] == [2]


async def test_one_that_survives_is_still_there(watch, foreign, told):
    (server, _other) = await watch.look()
    foreign.error = StopFailed("survived")
    with pytest.raises(StopFailed):
        await watch.stop(server)
    assert told == [[1, 2]]


async def test_a_runner_without_strangers_has_none(supervisor, library, bugs, tmp_path):
    async with MockRunner(tmp_path) as runner, TaskScope(bugs) as scope:
        watch = ForeignWatch(runner, supervisor, library, scope)
        assert await watch.look() == ()
        with pytest.raises(NotRunning):
            await watch.adopt(some_server())
        await watch.stop(some_server())
