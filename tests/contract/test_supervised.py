"""Servers of every place and engine under the supervisor: it knows neither."""

from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.supervision import KeptBugs, Story


async def test_a_server_starts_serves_and_stops(harness, story):
    server_id = story.supervisor.start(harness.config())
    await story.reaches(server_id, "Healthy")
    assert story.supervisor.server(server_id).facts is not None
    await story.supervisor.stop(server_id)
    assert story.words(server_id) == ["Starting", "Loading", "Healthy", "Stopping", "Stopped"]


async def test_a_server_that_is_killed_is_shown_as_crashed_and_starts_again(harness, story):
    server_id = story.supervisor.start(harness.config())
    healthy = await story.reaches(server_id, "Healthy")
    await harness.kill_behind_back(healthy.handle)
    crashed = await story.reaches(server_id, "Crashed")
    assert crashed.failure.exit.signal_number == 9
    story.supervisor.restart(server_id)
    again = await story.reaches(server_id, "Healthy")
    assert again.handle != healthy.handle


async def test_what_an_earlier_program_left_is_taken_over(harness):
    async with harness.runner() as earlier:
        handle = await earlier.start(harness.config())
    async with harness.runner() as later:
        supervisor = Supervisor(later, later, KeptBugs())
        story = Story(supervisor)
        assert await supervisor.adopt() == 1
        (server,) = supervisor.servers
        assert server.adopted
        assert (await story.reaches(server.id, "Healthy")).handle == handle
        await supervisor.stop_all()
        await supervisor.aclose()
        assert not harness.is_there(handle)
