"""Crashed servers are started again as their model's policy says, and not once that was called off."""

import asyncio
import time

import pytest

from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.restart import BACK_OFF_S, RestartPolicy
from gglib_desktop.domain.servers.states import Crashed, Failed, Stopped
from gglib_desktop.services.servers.snapshot import ServerChanged
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.clock_loop import time_passes
from tests.fakes.scripted_runner import OK, ScriptedRunner
from tests.fakes.supervision import Story
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.jumping_clock

WORK = b"I slot      release: id  0 | task 12 | stop processing: n_tokens = 31, truncated = 0\n"


class Policy:
    """What a model's policy is, known once ``known`` is set."""

    def __init__(self) -> None:
        self.value = RestartPolicy.ON_CRASH
        self.known = asyncio.Event()
        self.known.set()
        self.asked = 0

    async def __call__(self, model_id: int) -> RestartPolicy:
        self.asked += 1
        await self.known.wait()
        return self.value


@pytest.fixture
async def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
async def policy() -> Policy:
    return Policy()


@pytest.fixture
async def supervisor(runner, policy, bugs):
    supervisor = Supervisor(runner, runner, bugs, restart_policy=policy)
    yield supervisor
    await supervisor.aclose()


async def healthy(story: Story, runner: ScriptedRunner, server_id: int, starts: int = 1) -> None:
    await poll(lambda: len(runner.servers) == starts)
    runner.last.answer = OK
    await story.reaches(server_id, "Healthy")


@pytest.fixture
async def server_id(supervisor, story, runner, config) -> int:
    server_id: int = supervisor.start(config())
    await healthy(story, runner, server_id)
    return server_id


async def crash(story: Story, runner: ScriptedRunner, server_id: int, status: int = -11) -> Crashed:
    """The crashed state with what is planned, if anything."""
    runner.last.end(status)
    await story.reaches(server_id, "Crashed")
    state = story.state(server_id)
    assert isinstance(state, Crashed)
    return state


async def test_it_tries_three_times_ever_later_and_then_gives_up(server_id, story, runner):
    for number, wait_s in enumerate(BACK_OFF_S, start=1):
        before = time.time()
        runner.last.end(-11)
        await poll(lambda: isinstance(story.state(server_id), Crashed) and story.state(server_id).retry)
        retry = story.state(server_id).retry
        assert (retry.number, retry.most) == (number, 3)
        assert before + wait_s <= retry.at <= time.time() + wait_s
        await healthy(story, runner, server_id, starts=number + 1)
    crashed = await crash(story, runner, server_id)
    await time_passes(1000)
    assert crashed.retry is None
    assert runner.starts == 4


async def test_it_starts_with_the_same_configuration_in_the_same_place(server_id, supervisor, story, runner):
    before = supervisor.server(server_id).config
    await crash(story, runner, server_id)
    await healthy(story, runner, server_id, starts=2)
    (server,) = supervisor.servers
    assert server.config == before


async def test_never_means_never(server_id, story, runner, policy):
    policy.value = RestartPolicy.NEVER
    assert (await crash(story, runner, server_id)).retry is None
    await time_passes(1000)
    assert runner.starts == 1


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (b"ggml_vulkan: ErrorOutOfDeviceMemory\n", FailureCause.OUT_OF_MEMORY),
        (b"E srv alloc: failed to allocate memory for prompt cache state\n" + WORK * 20, FailureCause.UNKNOWN),
        (b"error: invalid argument: --nope\n" + WORK, FailureCause.UNKNOWN),
    ],
)
async def test_a_server_that_served_is_worth_another_try_whatever_it_complained_about(
    server_id, story, runner, log, cause
):
    runner.log = log
    crashed = await crash(story, runner, server_id)
    assert crashed.failure.cause is cause
    await healthy(story, runner, server_id, starts=2)


async def test_what_will_happen_again_is_not_tried_again(server_id, story, runner):
    crashed = await crash(story, runner, server_id, status=-4)
    assert crashed.failure.cause is FailureCause.WRONG_PROCESSOR
    await time_passes(1000)
    assert runner.starts == 1


async def test_a_start_that_failed_is_not_tried_again(supervisor, story, runner, config):
    server_id = supervisor.start(config())
    await poll(lambda: runner.servers)
    runner.last.end(1)
    assert isinstance(await story.reaches(server_id, "Failed"), Failed)
    await time_passes(1000)
    assert runner.starts == 1


async def test_what_was_stopped_stays_stopped(server_id, supervisor, story, runner):
    await supervisor.stop(server_id)
    assert isinstance(story.state(server_id), Stopped)
    await time_passes(1000)
    assert runner.starts == 1


async def waiting(story: Story, runner: ScriptedRunner, server_id: int) -> None:
    """A crashed server with a planned start, at a moment before it."""
    runner.last.end(-11)
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:  # a thread looks for the reason meanwhile
        state = story.state(server_id)
        if isinstance(state, Crashed) and state.retry is not None:
            return
        # The clock must not jump to the start.
        await asyncio.sleep(0)
    raise AssertionError("no start is planned")


@pytest.mark.parametrize("how", ["stop trying", "stop", "dismiss"])
async def test_it_can_be_told_not_to_try(server_id, supervisor, story, runner, how):
    await waiting(story, runner, server_id)
    if how == "stop trying":
        supervisor.stop_trying(server_id)
    elif how == "stop":
        await supervisor.stop(server_id)
    else:
        supervisor.dismiss(server_id)
    events = len(story.events)
    await time_passes(1000)
    assert runner.starts == 1
    assert len(story.events) == events
    assert [server.state.retry for server in supervisor.servers] == [None] * (how != "dismiss")


@pytest.mark.parametrize("how", ["stop trying", "stop", "dismiss"])
async def test_it_can_be_told_not_to_try_before_it_knows_whether_to(server_id, story, runner, policy, how):
    supervisor = story.supervisor
    policy.known.clear()
    runner.last.end(-11)
    await poll(lambda: policy.asked)
    if how == "stop trying":
        supervisor.stop_trying(server_id)
    elif how == "stop":
        await supervisor.stop(server_id)
    else:
        supervisor.dismiss(server_id)
    events = len(story.events)
    policy.known.set()
    await time_passes(1000)
    assert runner.starts == 1
    told = [event.snapshot.id for event in story.events[events:] if isinstance(event, ServerChanged)]
    assert told == [], "nothing is heard any more of what was dismissed or stopped"


async def test_a_start_by_hand_replaces_the_planned_one(server_id, supervisor, story, runner, config):
    await waiting(story, runner, server_id)
    assert supervisor.start(config()) == server_id
    await healthy(story, runner, server_id, starts=2)
    await time_passes(1000)
    assert runner.starts == 2
    await waiting(story, runner, server_id)
    assert story.state(server_id).retry.number == 1, "a person's start has a fresh budget"


async def test_closing_gives_up_what_is_planned(server_id, supervisor, story, runner):
    await waiting(story, runner, server_id)
    await supervisor.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
