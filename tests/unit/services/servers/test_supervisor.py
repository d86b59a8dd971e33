"""The lives of supervised servers, observed from outside, over simulated servers."""

import asyncio
import time
from itertools import pairwise

import pytest

from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.errors import ConfigurationError, StartFailed
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.failures import Absence, FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.domain.servers.states import Crashed, Failed, Healthy, Loading, Stopped, Stopping, handle_of
from gglib_desktop.ports.servers.server_monitor import LostServer
from gglib_desktop.services.servers.snapshot import ServerChanged, ServerRemoved, ServersAdopted
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.scripted_runner import ScriptedRunner
from tests.fakes.supervision import Story
from tests.fakes.waiting import poll, reasons_told
from tests.unit.services.conftest import QUICK


async def always(_model_id):
    return RestartPolicy.ON_CRASH


# -- one life


async def test_a_life_goes_through_every_state_in_order(supervisor, story, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    await supervisor.stop(server_id)
    assert story.words(server_id) == ["Starting", "Loading", "Healthy", "Stopping", "Stopped"]
    stopped = story.state(server_id)
    assert isinstance(stopped, Stopped)
    assert stopped.end == ServerExit(0, StopRung.SIGTERM)


async def test_what_is_known_of_a_running_server(supervisor, story, mock, config):
    server_id = supervisor.start(config(context_size=512))
    await story.reaches(server_id, "Healthy")
    snapshot, handle = supervisor.server(server_id), story.handle(server_id)
    assert await mock.list_running() == [handle]
    assert snapshot.endpoint == f"http://127.0.0.1:{handle.port}/v1"
    assert f"--port {handle.port}" in snapshot.command_line
    assert snapshot.log_name == mock.describe(handle).log_name
    assert snapshot.facts is not None
    assert (snapshot.facts.context_size, snapshot.facts.slots) == (512, 4)
    assert snapshot.rss_bytes
    assert not snapshot.adopted


async def test_the_second_time_it_says_how_long_loading_usually_takes(supervisor, story, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    healthy_at = time.time()
    supervisor.restart(server_id)
    await story.reaches_again(server_id, "Healthy")
    first, *_between, last = (state for state in story.states(server_id) if isinstance(state, Loading))
    assert first.usual_s is None
    assert last.usual_s is not None
    assert 0 < last.usual_s <= healthy_at - first.since


async def test_each_event_tells_what_is_so_at_that_moment(supervisor, story, config):
    def check(event):
        if isinstance(event, ServerChanged):
            assert supervisor.server(event.snapshot.id) == event.snapshot
        elif isinstance(event, ServerRemoved):
            assert event.id not in [server.id for server in supervisor.servers]

    supervisor.subscribe(check)
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    await supervisor.stop(server_id)
    supervisor.dismiss(server_id)
    assert story.events[-1] == ServerRemoved(server_id)
    told = [event.snapshot for event in story.events if isinstance(event, ServerChanged)]
    assert all(before != after for before, after in pairwise(told))


# -- failures


async def test_a_flag_that_the_engine_does_not_know_fails_the_start(supervisor, story, config):
    server_id = supervisor.start(config("--nope"))
    failed = await story.reaches(server_id, "Failed")
    assert isinstance(failed, Failed)
    assert failed.failure.cause is FailureCause.UNKNOWN_FLAG
    assert failed.failure.evidence == ("error: invalid argument: --nope",)
    assert failed.failure.exit == ServerExit(1)
    assert story.words(server_id) == ["Starting", "Failed"]
    log = await supervisor.monitor.read_log(supervisor.server(server_id).log_name, 0, 1000)
    assert b"invalid argument: --nope" in log.data


async def test_a_model_file_that_is_gone_fails_the_start(supervisor, story, config, model_file):
    model_file.unlink()
    server_id = supervisor.start(config())
    failed = await story.reaches(server_id, "Failed")
    assert failed.failure.cause is FailureCause.MODEL_MISSING


async def test_a_port_that_another_server_has_fails_the_start(supervisor, story, config):
    first = supervisor.start(config())
    await story.reaches(first, "Healthy")
    second = supervisor.start(config(model_id=2, port=story.handle(first).port))
    failed = await story.reaches(second, "Failed")
    assert failed.failure.cause is FailureCause.PORT_TAKEN
    assert "Model 1" in failed.failure.detail
    assert isinstance(story.state(first), Healthy)


async def test_one_that_dies_while_loading_has_failed(supervisor, story, config):
    server_id = supervisor.start(config("--mock-fail-load=cmn  common_init_: failed to load model"))
    failed = await story.reaches(server_id, "Failed")
    assert failed.failure.cause is FailureCause.UNKNOWN
    assert any("failed to load model" in line for line in failed.failure.evidence)
    assert story.words(server_id) == ["Starting", "Loading", "Failed"]


class FailsAtOnce(MockRunner):
    """An engine that ends before it has bound its port, without a word."""

    async def start(self, config):
        raise StartFailed("the server ended before it answered (exit code 1)", exit_status=1)


@pytest.mark.parametrize("runner", [MockRunner, FailsAtOnce])
@pytest.mark.parametrize("slow", [False, True])
async def test_a_log_without_a_reason_is_no_excuse_when_the_model_file_is_broken(data_dir, bugs, config, runner, slow):
    looked_at = asyncio.Event()
    if not slow:
        looked_at.set()

    async def examine(path):
        await looked_at.wait()
        return ModelFile(path, problem="truncated: 10 bytes are missing")

    async with runner(data_dir, timings=QUICK) as mock:
        supervisor = Supervisor(mock, mock, bugs, examine_model=examine)
        story = Story(supervisor)
        server_id = supervisor.start(config("--mock-fail-load=nothing that anybody understands"))
        failed = await story.reaches(server_id, "Failed", explained=False)
        if slow:
            assert failed.failure.cause is FailureCause.UNKNOWN, "the news does not wait for the reason"
        looked_at.set()

        def cause():
            state = story.state(server_id)
            assert isinstance(state, Failed)
            return state.failure.cause, state.failure.detail

        await poll(lambda: cause() == (FailureCause.MODEL_CORRUPT, "truncated: 10 bytes are missing"))
        await supervisor.aclose()


async def test_what_is_found_after_a_panel_was_dismissed_opens_no_panel(mock, bugs, config):
    asked, known = asyncio.Event(), asyncio.Event()

    async def examine(path):
        asked.set()
        await known.wait()
        return ModelFile(path, problem="truncated: 10 bytes are missing")

    supervisor = Supervisor(mock, mock, bugs, examine_model=examine)
    story = Story(supervisor)
    server_id = supervisor.start(config("--mock-fail-load=a reason that is not in the table"))
    await story.reaches(server_id, "Failed", explained=False)
    await asked.wait()
    supervisor.dismiss(server_id)
    known.set()
    await reasons_told()
    assert story.events[-1] == ServerRemoved(server_id)
    await supervisor.aclose()


async def test_a_bug_in_the_runner_is_reported_and_does_not_leave_the_server_starting(mock, bugs, config, data_dir):
    class Broken(MockRunner):
        async def start(self, config):
            raise KeyError("a bug")

    supervisor = Supervisor(Broken(data_dir), mock, bugs)
    failed = await Story(supervisor).reaches(supervisor.start(config()), "Failed")
    assert "a bug" in failed.failure.detail
    assert [type(bug) for bug in bugs.bugs] == [KeyError]
    bugs.bugs.clear()
    await supervisor.aclose()


async def test_one_that_dies_after_it_was_ready_has_crashed(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    mock.crash(story.handle(server_id), -11)
    crashed = await story.reaches(server_id, "Crashed")
    assert isinstance(crashed, Crashed)
    assert crashed.failure.exit == ServerExit(-11)
    assert any("listening on" in line for line in crashed.failure.evidence)
    assert supervisor.server(server_id).rss_bytes is None


async def test_one_that_somebody_else_killed_says_so(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    mock.crash(story.handle(server_id), -9)
    crashed = await story.reaches(server_id, "Crashed")
    assert crashed.failure.cause is FailureCause.KILLED


# -- one flight, several servers, places


async def test_two_starts_of_one_model_are_one_server(supervisor, story, mock, config):
    assert supervisor.start(config()) == supervisor.start(config())
    (server,) = supervisor.servers
    await story.reaches(server.id, "Healthy")
    assert supervisor.start(config()) == server.id
    assert len(await mock.list_running()) == 1
    assert supervisor.has_live_server(1)
    assert not supervisor.has_live_server(2)


async def test_another_server_of_a_model_is_the_second(supervisor, story, config):
    first = supervisor.start(config())
    second = supervisor.start(config(), another=True)
    await story.reaches(first, "Healthy")
    await story.reaches(second, "Healthy")
    assert [server.number for server in supervisor.servers] == [1, 2]
    assert story.handle(first).port != story.handle(second).port
    await supervisor.stop(second)
    assert isinstance(story.state(first), Healthy)


async def test_an_ended_servers_place_is_used_again(supervisor, story, config):
    server_id = supervisor.start(config("--nope"))
    await story.reaches(server_id, "Failed")
    assert supervisor.start(config()) == server_id
    await story.reaches(server_id, "Healthy")
    assert len(supervisor.servers) == 1


async def test_only_an_ended_server_can_be_dismissed(supervisor, story, config):
    server_id = supervisor.start(config())
    supervisor.dismiss(server_id)
    await story.reaches(server_id, "Healthy")
    supervisor.dismiss(server_id)
    assert [server.id for server in supervisor.servers] == [server_id]
    await supervisor.stop(server_id)
    supervisor.dismiss(server_id)
    assert supervisor.servers == ()
    assert supervisor.start(config()) != server_id


# -- stopping


@pytest.mark.parametrize("turns", range(4))
async def test_a_start_can_be_stopped_at_any_moment_and_leaves_nothing(story, mock, config, data_dir, turns):
    supervisor = story.supervisor
    server_id = supervisor.start(config())
    for _turn in range(turns):
        await asyncio.sleep(0)
    await supervisor.stop(server_id)
    assert story.words(server_id) == ["Starting", "Stopping", "Stopped"]
    assert story.state(server_id).end is None
    assert await mock.list_running() == []
    assert list((data_dir / "servers").glob("*")) == []


async def test_kill_ends_a_stop_that_takes_its_time(supervisor, story, config):
    server_id = supervisor.start(config("--mock-stop-s=60"))
    await story.reaches(server_id, "Healthy")
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    state = await story.reaches(server_id, "Stopping")
    assert isinstance(state, Stopping)
    assert state.kill_at > state.since
    await supervisor.kill(server_id)
    await stopping
    stopped = story.state(server_id)
    assert isinstance(stopped, Stopped)
    assert stopped.end == ServerExit(-9, StopRung.SIGKILL)


async def test_stopping_what_has_ended_is_success(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    mock.crash(story.handle(server_id))
    await supervisor.stop(server_id)
    await supervisor.stop(server_id)


async def test_all_stop_at_the_same_time(supervisor, story, mock, config):
    ids = [supervisor.start(config(model_id=number)) for number in range(1, 6)]
    for server_id in ids:
        await story.reaches(server_id, "Healthy")
    before = len(story.events)
    await supervisor.stop_all()
    words = [event.snapshot.state.word for event in story.events[before:] if isinstance(event, ServerChanged)]
    assert words.index("Stopped") >= len(words) - 1 - words[::-1].index("Stopping"), "the last began before one ended"
    assert all(isinstance(server.state, Stopped) for server in supervisor.servers)
    assert await mock.list_running() == []


async def test_the_time_to_kill_follows_the_grace(mock, bugs, config):
    supervisor = Supervisor(mock, mock, bugs, stop_grace_s=lambda: 40.0)
    story = Story(supervisor)
    server_id = supervisor.start(config("--mock-stop-s=60"))
    await story.reaches(server_id, "Healthy")
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    state = await story.reaches(server_id, "Stopping")
    assert isinstance(state, Stopping)
    assert 40 < state.kill_at - state.since < 43
    await supervisor.kill(server_id)
    await stopping
    await supervisor.aclose()


# -- restarting


async def test_a_restart_may_bring_another_configuration(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    before = story.handle(server_id)
    supervisor.restart(server_id, config(context_size=512))
    await story.reaches_again(server_id, "Healthy")
    assert story.words(server_id)[2:] == ["Healthy", "Stopping", "Stopped", "Starting", "Loading", "Healthy"]
    assert story.handle(server_id).pid != before.pid
    assert supervisor.server(server_id).config.context_size == 512
    assert "-c 512" in supervisor.server(server_id).command_line
    assert len(await mock.list_running()) == 1


async def test_a_restart_of_an_ended_server_starts_it(supervisor, story, config):
    server_id = supervisor.start(config("--nope"))
    await story.reaches(server_id, "Failed")
    supervisor.restart(server_id, config())
    await story.reaches(server_id, "Healthy")


async def test_a_restart_during_a_start_takes_the_new_configuration(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    supervisor.restart(server_id, config(context_size=512))
    await story.reaches(server_id, "Healthy")
    assert supervisor.server(server_id).config.context_size == 512
    assert len(await mock.list_running()) == 1


async def test_a_stop_after_a_restart_wins(supervisor, story, mock, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    supervisor.restart(server_id)
    await supervisor.stop(server_id)
    assert isinstance(story.state(server_id), Stopped)
    assert await mock.list_running() == []
    supervisor.dismiss(server_id)
    assert supervisor.servers == ()


async def test_a_restart_after_a_stop_wins(supervisor, story, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    await story.reaches_again(server_id, "Stopping", times=1)
    supervisor.restart(server_id)
    await stopping
    await story.reaches_again(server_id, "Healthy")


# -- what outlives the program


async def test_servers_of_an_earlier_run_are_taken_over(data_dir, bugs, config):
    async with MockRunner(data_dir, timings=QUICK) as earlier:
        handle = await earlier.start(config())
    async with MockRunner(data_dir, timings=QUICK) as runner:
        supervisor = Supervisor(runner, runner, bugs)
        story = Story(supervisor)
        assert await supervisor.adopt() == 1
        (server,) = supervisor.servers
        assert server.adopted
        assert server.config == config()
        await story.reaches(server.id, "Healthy")
        assert story.handle(server.id) == handle
        assert story.words(server.id) == ["Loading", "Healthy"]
        assert [event for event in story.events if isinstance(event, ServersAdopted)] == [ServersAdopted(1)]
        assert await supervisor.adopt() == 0
        assert supervisor.start(config()) == server.id, "an adopted server counts for single flight"
        runner.crash(handle)
        crashed = await story.reaches(server.id, "Crashed")
        assert crashed.failure.exit == ServerExit(None)
        supervisor.restart(server.id)
        await story.reaches_again(server.id, "Healthy")
        assert not supervisor.server(server.id).adopted
        await supervisor.aclose()


async def lost_in(supervisor, scripted, config, log, absence=Absence.NOT_RUNNING):
    scripted.log = log
    scripted.lost = [LostServer(config(), "llama-server -m tiny.gguf", "tiny-1", ServerExit(None, absence=absence))]
    assert await supervisor.adopt() == 0
    (server,) = supervisor.servers
    return server


async def test_a_server_that_ended_while_no_program_ran_is_shown_with_its_log(bugs, config):
    scripted = ScriptedRunner()
    supervisor = Supervisor(scripted, scripted, bugs, restart_policy=always)
    story = Story(supervisor)
    server = await lost_in(supervisor, scripted, config, b"loading\nE error: out of memory\n")
    assert isinstance(server.state, Crashed)
    assert server.state.failure.cause is FailureCause.OUT_OF_MEMORY
    assert server.state.failure.evidence == ("E error: out of memory",)
    assert server.state.retry is None, "what ended long ago is not started by itself"
    assert (server.log_name, server.command_line) == ("tiny-1", "llama-server -m tiny.gguf")
    assert [event for event in story.events if isinstance(event, ServersAdopted)] == [ServersAdopted(0)]
    assert await supervisor.adopt() == 0
    assert len(supervisor.servers) == 1, "it is told once"
    assert supervisor.running == 0
    await supervisor.aclose()


async def test_a_lost_server_starts_again_in_its_panel(bugs, config):
    scripted = ScriptedRunner()
    supervisor = Supervisor(scripted, scripted, bugs)
    story = Story(supervisor)
    server = await lost_in(supervisor, scripted, config, b"", Absence.COMPUTER_RESTARTED)
    assert server.state.failure.exit.absence is Absence.COMPUTER_RESTARTED
    assert supervisor.start(config()) == server.id
    await story.reaches(server.id, "Loading")
    await supervisor.aclose()


async def test_a_start_while_the_log_of_a_lost_server_is_read_goes_on(bugs, config):
    class SlowDisk(ScriptedRunner):
        asked, answers = asyncio.Event(), asyncio.Event()

        async def read_log(self, log_name, offset, limit_bytes):
            self.asked.set()
            await self.answers.wait()
            return await super().read_log(log_name, offset, limit_bytes)

    scripted = SlowDisk()
    supervisor = Supervisor(scripted, scripted, bugs)
    scripted.lost = [LostServer(config(), "llama-server -m tiny.gguf", "tiny-1", ServerExit(None))]
    adopting = asyncio.ensure_future(supervisor.adopt())
    await scripted.asked.wait()
    started = supervisor.start(config())
    await Story(supervisor).reaches(started, "Loading")
    scripted.answers.set()
    await adopting
    states = {server.id: server.state.word for server in supervisor.servers}
    assert states.pop(started) == "Loading"
    assert list(states.values()) == ["Crashed"]
    await supervisor.aclose()


async def test_a_lost_server_can_be_dismissed(bugs, config):
    scripted = ScriptedRunner()
    supervisor = Supervisor(scripted, scripted, bugs)
    server = await lost_in(supervisor, scripted, config, b"")
    supervisor.dismiss(server.id)
    assert supervisor.servers == ()
    await supervisor.aclose()


async def test_without_earlier_servers_it_is_told_that_there_are_none(supervisor, story):
    assert await supervisor.adopt() == 0
    assert story.events == [ServersAdopted(0)]


async def test_what_cannot_be_told_of_a_lost_server_hides_none_that_runs(bugs, config):
    scripted = ScriptedRunner()
    left = await scripted.start(config(model_id=2))
    scripted.lost = [LostServer(config(), "llama-server -m tiny.gguf", "tiny-1", ServerExit(None))]
    supervisor = Supervisor(scripted, scripted, bugs)
    told: list[object] = []

    def show(event: object) -> None:
        told.append(event)
        if isinstance(event, ServerChanged) and isinstance(event.snapshot.state, Crashed):
            raise ConfigurationError("model_name", "", "no panel can show it")

    supervisor.subscribe(show)
    with pytest.raises(ConfigurationError):
        await supervisor.adopt()
    assert left in [handle_of(server.state) for server in supervisor.servers]
    assert told[-1] == ServersAdopted(1)
    await supervisor.aclose()


async def test_closing_ends_all_watching_and_no_server(supervisor, story, mock, config):
    running = supervisor.start(config())
    await story.reaches(running, "Healthy")
    supervisor.start(config(model_id=2))
    await supervisor.aclose()
    # The runner, which goes on, looks after its logs.
    assert {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}} == {"trim logs"}
    assert await mock.list_running() == [story.handle(running)]


async def test_a_listener_that_left_hears_nothing(supervisor, config, story):
    heard: list[object] = []
    leave = supervisor.subscribe(heard.append)
    leave()
    await story.reaches(supervisor.start(config()), "Healthy")
    assert heard == []
