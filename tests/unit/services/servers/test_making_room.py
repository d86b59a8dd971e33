"""Servers that make room for a while."""

import pytest

from gglib_desktop.domain.errors import StopFailed
from gglib_desktop.domain.servers.states import Stopped
from gglib_desktop.services.servers.making_room import MakingRoom
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.supervision import Story


@pytest.fixture
def room(supervisor) -> MakingRoom:
    return MakingRoom(supervisor)


async def test_what_runs_here_is_stopped_and_started_again(room, supervisor, story, config):
    first, second = supervisor.start(config()), supervisor.start(config(), another=True)
    elsewhere = supervisor.start(config(model_id=2, place="podman"))
    ended = supervisor.start(config(model_id=3))
    for server_id in (first, second, ended):
        await story.reaches(server_id, "Healthy")
    await supervisor.stop(ended)
    assert room.names == ("Model 1", "Model 1 (2)")
    stopped = await room.make()
    assert list(stopped) == [first, second]
    assert all(isinstance(story.state(each), Stopped) for each in stopped)
    assert not isinstance(story.state(elsewhere), Stopped)
    room.give_back(stopped)
    for server_id in stopped:
        await story.reaches_again(server_id, "Healthy")
    assert isinstance(story.state(ended), Stopped)


async def test_what_was_started_or_dismissed_meanwhile_is_left_alone(room, supervisor, story, config):
    ids = [supervisor.start(config(model_id=number)) for number in (1, 2)]
    for server_id in ids:
        await story.reaches(server_id, "Healthy")
    stopped = await room.make()
    supervisor.dismiss(ids[0])
    supervisor.restart(ids[1])
    room.give_back(stopped)
    await story.reaches_again(ids[1], "Healthy")
    assert story.words(ids[1]).count("Starting") == 2


class Stubborn(Supervisor):
    """One of its servers survives every signal."""

    survivor: int | None = None

    async def stop(self, server_id: int) -> None:
        if server_id == self.survivor:
            raise StopFailed("it survived")
        await super().stop(server_id)


async def test_where_one_does_not_stop_all_run_again(mock, bugs, config):
    supervisor = Stubborn(mock, mock, bugs)
    story = Story(supervisor)
    ids = [supervisor.start(config(model_id=number)) for number in (1, 2)]
    for server_id in ids:
        await story.reaches(server_id, "Healthy")
    supervisor.survivor = ids[1]
    with pytest.raises(StopFailed):
        await MakingRoom(supervisor).make()
    await story.reaches_again(ids[0], "Healthy")
    await supervisor.aclose()
