"""How the supervisor judges a server by its answers, over a scripted runner and a clock that jumps."""

import asyncio
from dataclasses import replace

import pytest

from gglib_desktop.domain.errors import RunnerUnavailable, StopFailed
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.failures import FailureCause, ServerExit, StopRung
from gglib_desktop.domain.servers.health import HEALTHY_INTERVAL_S, HIDDEN_INTERVAL_S, Probe, ProbeResult
from gglib_desktop.domain.servers.states import (
    Crashed,
    Degraded,
    Failed,
    Healthy,
    Loading,
    Stopped,
    Stopping,
    Unreachable,
    Unresponsive,
)
from gglib_desktop.services.servers.snapshot import ServerUsed
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.clock_loop import now, time_passes
from tests.fakes.scripted_runner import LOADING, NO_ANSWER, OK, ScriptedRunner
from tests.fakes.supervision import Story
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
async def supervisor(runner, bugs):
    supervisor = Supervisor(runner, runner, bugs)
    yield supervisor
    await supervisor.aclose()


@pytest.fixture
async def server_id(supervisor, story, runner, config) -> int:
    """A healthy server."""
    server_id: int = supervisor.start(config())
    await poll(lambda: runner.servers)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    return server_id


# -- facts


async def test_facts_are_asked_for_until_they_are_known_and_once_more(supervisor, runner, story, config):
    runner.facts_said = None
    server_id = supervisor.start(config())
    await poll(lambda: runner.servers)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    assert supervisor.server(server_id).facts is None
    runner.facts_said = ServerFacts(context_size=2048)
    await poll(lambda: supervisor.server(server_id).facts == runner.facts_said)
    early, runner.facts_said = runner.facts_said, replace(runner.facts_said, gpu_layers=3)
    await poll(lambda: supervisor.server(server_id).facts == runner.facts_said)
    late, runner.facts_said = runner.facts_said, early
    questions = runner.last.questions
    await poll(lambda: runner.last.questions > questions + 2)
    assert supervisor.server(server_id).facts == late, "what is known is not asked for for ever"


# -- missed answers


async def test_from_one_missed_answer_to_unresponsive_and_back(server_id, story, runner):
    frozen_at = now()
    runner.last.answer = NO_ANSWER
    degraded = await story.reaches(server_id, "Degraded")
    assert degraded == Degraded(runner.last.handle, 1, "no answer within 2 s")
    await poll(lambda: story.state(server_id) == replace(degraded, missed=2))
    unresponsive = await story.reaches(server_id, "Unresponsive")
    assert isinstance(unresponsive, Unresponsive)
    assert not unresponsive.paused
    # In the real world each of the three questions waits for two seconds in addition.
    assert now() - frozen_at + 3 * 2.0 < 12
    runner.last.answer = OK
    asked_at = now()
    await story.reaches(server_id, "Healthy")
    assert now() - asked_at < 1.1


async def test_unresponsive_since_stays_while_it_lasts(server_id, story, runner):
    runner.last.answer = NO_ANSWER
    first = await story.reaches(server_id, "Unresponsive")
    questions = runner.last.questions
    await poll(lambda: runner.last.questions > questions + 2)
    assert story.state(server_id) == first


async def test_a_paused_process_is_named(server_id, story, runner):
    runner.last.answer = NO_ANSWER
    runner.last.usage = replace(runner.last.usage, paused=True)
    degraded = await story.reaches(server_id, "Degraded")
    assert "paused" in degraded.reason
    unresponsive = await story.reaches(server_id, "Unresponsive")
    assert unresponsive.paused
    assert "paused" in unresponsive.reason


async def test_one_that_works_while_it_misses_answers_is_busy(server_id, story, runner):
    runner.last.answer = NO_ANSWER
    runner.last.cpu_s_per_question = 1.5
    await story.reaches(server_id, "Busy")
    questions = runner.last.questions
    await poll(lambda: runner.last.questions > questions + 10)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    assert story.words(server_id)[-3:] == ["Healthy", "Busy", "Healthy"]


async def test_one_that_was_busy_and_then_does_nothing_is_degraded(server_id, story, runner):
    runner.last.answer = NO_ANSWER
    runner.last.cpu_s_per_question = 1.5
    await story.reaches(server_id, "Busy")
    runner.last.cpu_s_per_question = 0
    degraded = await story.reaches(server_id, "Degraded")
    assert degraded.missed == 1


async def test_a_stranger_on_the_port_is_not_healthy(server_id, story, runner):
    runner.last.answer = Probe(ProbeResult.FOREIGN, "something that is no llama-server answers (HTTP 404)")
    degraded = await story.reaches(server_id, "Degraded")
    assert "no llama-server" in degraded.reason


async def test_a_server_that_loads_again_is_loading_not_ill(server_id, story, runner):
    runner.last.answer = LOADING
    await story.reaches(server_id, "Loading")
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")


async def test_death_is_not_debounced(server_id, story, runner):
    runner.last.answer = NO_ANSWER
    await story.reaches(server_id, "Degraded")
    died_at = now()
    runner.last.end(-11)
    await story.reaches(server_id, "Crashed")
    assert now() - died_at < 0.1


# -- how often it asks


async def questions_in(runner, seconds: float) -> int:
    before = runner.last.questions
    await time_passes(seconds)
    return int(runner.last.questions - before)


async def test_a_healthy_server_is_asked_every_few_seconds_and_a_hidden_one_less_often(server_id, supervisor, runner):
    shown = await questions_in(runner, 100)
    assert 100 / 5 <= shown <= 100 / 3
    assert shown == pytest.approx(100 / HEALTHY_INTERVAL_S, abs=2)
    supervisor.visible = False
    assert await questions_in(runner, 300) == pytest.approx(300 / HIDDEN_INTERVAL_S, abs=1)


async def test_servers_started_at_different_times_are_asked_together(supervisor, story, runner, config):
    """Five idle servers wake the program up twice in each interval, not five times."""
    for number in range(5):
        await story.reaches(supervisor.start(config(model_id=number + 1), another=True), "Loading")
        runner.last.answer = OK
        await time_passes(0.77)
    await time_passes(10)
    for server in runner.servers:
        server.asked_at.clear()
    await time_passes(60)
    times = [at for server in runner.servers for at in server.asked_at]
    assert len(times) == pytest.approx(5 * 60 / HEALTHY_INTERVAL_S, abs=5)
    assert len(set(times)) == pytest.approx(2 * 60 / HEALTHY_INTERVAL_S, abs=2)


async def test_of_a_hidden_server_only_its_health_is_asked_until_the_user_looks(server_id, supervisor, runner):
    await questions_in(runner, 20)
    supervisor.visible = False
    seen: list[object] = []
    unsubscribe = supervisor.subscribe(seen.append)
    uses = runner.last.uses
    assert await questions_in(runner, 300) >= 9
    assert runner.last.uses - uses <= 300 / HIDDEN_INTERVAL_S + 2, "once before each question, in case it is missed"
    assert seen == []
    supervisor.visible = True
    await poll(lambda: seen == [ServerUsed(server_id, runner.last.usage)])
    unsubscribe()


async def test_a_hidden_server_that_misses_answers_is_asked_each_second(server_id, supervisor, story, runner):
    supervisor.visible = False
    runner.last.answer = NO_ANSWER
    await story.reaches(server_id, "Unresponsive")
    assert await questions_in(runner, 20) == pytest.approx(20, abs=2)


async def test_a_loading_server_is_asked_ever_less_often_up_to_four_times_a_second(supervisor, runner, config):
    supervisor.start(config())
    await poll(lambda: runner.servers)
    # Some of the first ones may have been asked before the count began.
    assert await questions_in(runner, 0.2) >= 3
    await questions_in(runner, 5)
    assert await questions_in(runner, 10) == pytest.approx(40, abs=2)


# -- loading


async def test_one_that_makes_no_progress_while_loading_is_given_up(runner, bugs, config):
    supervisor = Supervisor(runner, runner, bugs, load_stall_s=0)
    story = Story(supervisor)
    server_id = supervisor.start(config())
    failed = await story.reaches(server_id, "Failed")
    assert isinstance(failed, Failed)
    assert failed.failure.cause is FailureCause.STALLED
    assert runner.last.exited.result() == ServerExit(-9, StopRung.SIGKILL)
    await supervisor.aclose()


async def test_what_became_of_one_run_is_not_told_of_the_next(runner, bugs, config):
    supervisor = Supervisor(runner, runner, bugs, load_stall_s=0)
    story = Story(supervisor)
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Failed")
    runner.facts_said = ServerFacts(context_size=1)
    supervisor.start(config())
    await poll(lambda: len(runner.servers) == 2)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    await poll(lambda: supervisor.server(server_id).facts == runner.facts_said)
    runner.last.end(-11)
    assert isinstance(await story.reaches(server_id, "Crashed"), Crashed)
    await supervisor.aclose()


async def test_one_that_works_while_loading_is_not_given_up(runner, bugs, config):
    supervisor = Supervisor(runner, runner, bugs, load_stall_s=0)
    story = Story(supervisor)
    server_id = supervisor.start(config())
    await poll(lambda: runner.servers)
    runner.last.cpu_s_per_question = 0.01
    assert await questions_in(runner, 100) > 100
    assert isinstance(story.state(server_id), Loading)
    await supervisor.aclose()


async def test_an_end_while_loading_fails_with_the_log_as_evidence(supervisor, story, runner, config):
    server_id = supervisor.start(config())
    await story.reaches(server_id, "Loading")
    runner.log = b"\x1b[31mE failed to initialize the context: out of memory\x1b[0m\n"
    runner.last.end(1)
    failed = await story.reaches(server_id, "Failed")
    assert failed.failure.cause is FailureCause.OUT_OF_MEMORY
    assert failed.failure.evidence == ("E failed to initialize the context: out of memory",)


# -- starting and stopping at awkward moments


@pytest.mark.parametrize("turns", range(8))
async def test_a_stop_in_the_moment_in_which_the_start_succeeds_ends_the_server(
    runner, supervisor, story, config, turns
):
    """Whichever of the two has its next step first."""
    runner.may_start.clear()
    server_id = supervisor.start(config())
    await poll(lambda: runner.starts)
    runner.may_start.set()
    for _turn in range(turns):
        await asyncio.sleep(0)
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    await story.reaches(server_id, "Stopped")
    await stopping
    assert all(server.exited.done() for server in runner.servers)


async def test_a_stop_before_the_first_step_starts_nothing(supervisor, story, runner, config):
    server_id = supervisor.start(config())
    await supervisor.stop(server_id)
    assert isinstance(story.state(server_id), Stopped)
    assert runner.starts == 0


async def test_a_stop_during_the_start_cancels_it(supervisor, story, runner, config):
    runner.may_start.clear()
    server_id = supervisor.start(config())
    await poll(lambda: runner.starts)
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    await stopping
    assert story.words(server_id) == ["Starting", "Stopping", "Stopped"]
    assert (runner.cancelled_starts, runner.servers) == (1, [])


async def test_a_start_that_succeeds_while_it_is_stopped_is_stopped(supervisor, story, runner, config):
    runner.may_start.clear()
    runner.finishes_cancelled_starts = True
    server_id = supervisor.start(config())
    await poll(lambda: runner.starts)
    await supervisor.stop(server_id)
    assert story.words(server_id) == ["Starting", "Stopping", "Stopped"]
    assert runner.last.exited.result().stopped_by is StopRung.SIGTERM


async def test_any_end_while_stopping_is_stopped(server_id, supervisor, story, runner):
    runner.last.ends_on_stop = False
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    assert isinstance(await story.reaches(server_id, "Stopping"), Stopping)
    runner.last.end(-11)
    await stopping
    assert story.state(server_id).end == ServerExit(-11)


async def test_two_who_stop_both_wait_for_the_end(server_id, supervisor, story, runner):
    runner.last.ends_on_stop = False
    both = asyncio.gather(supervisor.stop(server_id), supervisor.stop(server_id))
    await story.reaches(server_id, "Stopping")
    assert not both.done()
    runner.last.end(0)
    await both
    assert story.words(server_id).count("Stopping") == 1


async def test_one_that_survives_every_signal_is_unresponsive_and_the_caller_hears_it(
    server_id, supervisor, story, runner
):
    runner.last.stop_error = StopFailed("survived SIGKILL")
    runner.last.answer = NO_ANSWER
    with pytest.raises(StopFailed):
        await supervisor.stop(server_id)
    state = story.state(server_id)
    assert isinstance(state, Unresponsive)
    assert state.reason == "survived SIGKILL"
    runner.last.stop_error = None
    await supervisor.stop(server_id)
    assert isinstance(story.state(server_id), Stopped)


# -- its place is lost

LOST = Probe(ProbeResult.UNREACHABLE, "no route to host", 1_700_000_000.0)


async def test_a_server_is_unreachable_while_its_place_is(server_id, supervisor, story, runner, config):
    runner.last.answer = LOST
    lost = await story.reaches(server_id, "Unreachable")
    assert lost == Unreachable(LOST.since, "local", LOST.message, runner.last.handle)
    assert supervisor.server(server_id).rss_bytes is None
    assert not supervisor.running
    with pytest.raises(RunnerUnavailable):
        await supervisor.stop(server_id)
    supervisor.restart(server_id)
    await supervisor.try_out(server_id, config(context_size=1024))
    assert await supervisor.adopt() == 0, "it has its panel already"
    await supervisor.stop_all()
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    assert (len(supervisor.servers), runner.starts) == (1, 1)
    assert story.words(server_id) == ["Starting", "Loading", "Healthy", "Unreachable", "Healthy"]


async def test_a_hidden_window_looks_for_a_lost_place_as_often(server_id, supervisor, story, runner):
    runner.last.answer = LOST
    await story.reaches(server_id, "Unreachable")
    supervisor.visible = False
    before = now()
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    assert now() - before <= HEALTHY_INTERVAL_S + 0.1


async def test_an_end_that_is_told_when_the_place_is_back_is_a_crash(server_id, supervisor, story, runner):
    runner.last.answer = LOST
    await story.reaches(server_id, "Unreachable")
    runner.last.end(3)
    assert (await story.reaches(server_id, "Crashed")).failure.exit == ServerExit(3)


async def test_a_lost_place_is_no_reason_to_give_up_loading(supervisor, story, runner, config):
    server_id = supervisor.start(config())
    await poll(lambda: runner.servers)
    runner.last.answer = LOST
    await story.reaches(server_id, "Unreachable")
    await time_passes(3600)
    runner.last.answer = LOADING
    await story.reaches(server_id, "Loading")
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")


async def test_a_stop_that_reaches_nothing_leaves_it_as_it_was(server_id, supervisor, story, runner):
    runner.last.stop_error = RunnerUnavailable("no route to host")
    with pytest.raises(RunnerUnavailable):
        await supervisor.stop(server_id)
    assert isinstance(story.state(server_id), Healthy)
    runner.last.answer = LOST
    await story.reaches(server_id, "Unreachable")
    runner.last.end(0)
    assert isinstance(await story.reaches(server_id, "Crashed"), Crashed)


async def test_one_that_survives_a_kill_is_watched_on(server_id, supervisor, story, runner):
    runner.last.stop_error = StopFailed("survived SIGKILL")
    with pytest.raises(StopFailed):
        await supervisor.kill(server_id)
    assert isinstance(story.state(server_id), Unresponsive)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")
    runner.last.end(-9)
    assert isinstance(await story.reaches(server_id, "Crashed"), Crashed)


async def test_a_survivor_is_not_restarted(server_id, supervisor, story, runner):
    runner.last.stop_error = StopFailed("survived SIGKILL")
    supervisor.restart(server_id)
    await story.reaches(server_id, "Unresponsive")
    runner.last.end(-9)
    assert isinstance(await story.reaches(server_id, "Crashed"), Crashed)
    assert runner.starts == 1


async def test_a_survivor_of_a_stop_during_its_start_is_told_of(supervisor, story, runner, config):
    """The stop begins only when the start has come to its end."""
    runner.may_start.clear()
    runner.finishes_cancelled_starts = True
    server_id = supervisor.start(config())
    await poll(lambda: runner.starts)

    def refuse_to_end(_event):
        if runner.servers:
            runner.last.stop_error = StopFailed("survived SIGKILL")

    supervisor.subscribe(refuse_to_end)
    with pytest.raises(StopFailed):
        await supervisor.stop(server_id)


async def test_a_survivor_does_not_keep_the_others_from_stopping(server_id, supervisor, story, runner, config):
    runner.last.stop_error = StopFailed("survived SIGKILL")
    other = supervisor.start(config(model_id=2))
    await story.reaches(other, "Loading")
    await supervisor.stop_all()
    assert isinstance(story.state(other), Stopped)
    assert isinstance(story.state(server_id), Unresponsive | Healthy)


async def test_closing_in_the_middle_of_everything_leaves_no_task(server_id, supervisor, runner, config):
    runner.last.ends_on_stop = False
    stopping = asyncio.ensure_future(supervisor.stop(server_id))
    runner.may_start.clear()
    supervisor.start(config(model_id=2))
    await poll(lambda: runner.starts == 2)
    await supervisor.aclose()
    await asyncio.wait({stopping})
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert runner.cancelled_starts == 1
    assert not runner.servers[0].exited.done(), "closing ends no server"
