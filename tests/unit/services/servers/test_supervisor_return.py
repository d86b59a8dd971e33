"""A running server whose new configuration does not start returns to the last one that was healthy: once."""

import asyncio
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.services.servers.snapshot import Rejected
from gglib_desktop.services.servers.supervisor import Supervisor
from tests.fakes.scripted_runner import LOADING, OK, ScriptedRunner
from tests.fakes.waiting import poll

BAD = "--mock-fail-load=context type MTP requested but model doesn't contain MTP layers"


@pytest.fixture
async def server_id(supervisor, story, config) -> int:
    server_id: int = supervisor.start(config())
    await story.reaches(server_id, "Healthy")
    return server_id


async def test_what_fails_while_loading_leads_back_to_what_ran(server_id, supervisor, story, config):
    good = supervisor.server(server_id).config
    supervisor.restart(server_id, config(BAD), on_trial=True)
    await story.reaches_again(server_id, "Healthy")
    server = supervisor.server(server_id)
    assert server.config == good
    assert server.rejected.config == config(BAD)
    assert server.rejected.failure.cause is FailureCause.MTP_LAYERS_MISSING
    assert server.rejected.failure.evidence
    words = story.words(server_id)
    assert words[words.index("Healthy") + 1 :] == [
        "Stopping", "Stopped", "Starting", "Loading", "Failed", "Starting", "Loading", "Healthy"
    ]  # fmt: skip


async def test_what_is_refused_before_a_process_leads_back_too(server_id, supervisor, story, config):
    supervisor.restart(server_id, config("--nope"), on_trial=True)
    await story.reaches_again(server_id, "Healthy")
    assert supervisor.server(server_id).rejected.failure.cause is FailureCause.UNKNOWN_FLAG


async def test_the_next_start_says_nothing_of_it_any_more(server_id, supervisor, story, config):
    supervisor.restart(server_id, config(BAD), on_trial=True)
    await story.reaches_again(server_id, "Healthy")
    supervisor.restart(server_id, config(context_size=4096), on_trial=True)
    await story.reaches_again(server_id, "Healthy", 3)
    assert supervisor.server(server_id).rejected is None
    assert supervisor.server(server_id).config == config(context_size=4096)


async def test_the_last_good_is_the_one_that_was_healthy_last(server_id, supervisor, story, config):
    better = config(context_size=4096)
    supervisor.restart(server_id, better, on_trial=True)
    await story.reaches_again(server_id, "Healthy")
    supervisor.restart(server_id, config(BAD), on_trial=True)
    await story.reaches_again(server_id, "Healthy", 3)
    assert supervisor.server(server_id).config == better


@pytest.mark.parametrize("way", ["restart", "start of what is stopped"])
async def test_only_what_was_applied_to_a_running_server_leads_back(server_id, supervisor, story, config, way):
    if way == "restart":
        supervisor.restart(server_id, config(BAD))
    else:
        await supervisor.stop(server_id)
        supervisor.restart(server_id, config(BAD), on_trial=True)
    await story.reaches(server_id, "Failed")
    await asyncio.sleep(0)
    await poll(lambda: story.state(server_id).failure.evidence)
    assert story.words(server_id)[-1] == "Failed"
    assert supervisor.server(server_id).rejected is None


async def test_a_crash_later_is_a_crash(server_id, supervisor, story, mock, config):
    supervisor.restart(server_id, config(context_size=4096), on_trial=True)
    await story.reaches_again(server_id, "Healthy")
    mock.crash(story.handle(server_id))
    await story.reaches(server_id, "Crashed")
    supervisor.restart(server_id, config(BAD))
    await story.reaches(server_id, "Failed")
    assert supervisor.server(server_id).rejected is None


async def test_what_is_known_not_to_start_stops_nothing(supervisor, story, config):
    owner = supervisor.start(config(model_id=2))
    server = supervisor.start(config(model_id=1))
    await story.reaches(owner, "Healthy")
    await story.reaches(server, "Healthy")
    handle = story.handle(server)
    for refused, cause in (
        (config(port=story.handle(owner).port), FailureCause.PORT_TAKEN),
        (config("--host=x"), FailureCause.CONFIGURATION),
        (config().replace(model_path=Path("/nowhere.gguf")), FailureCause.MODEL_MISSING),
    ):
        await supervisor.try_out(server, refused)
        rejected = supervisor.server(server).rejected
        assert (rejected.config, rejected.failure.cause, rejected.untouched) == (refused, cause, True)
    assert story.handle(server) == handle
    assert set(story.words(server)) == {"Starting", "Loading", "Healthy"}


async def test_its_own_port_is_no_conflict(supervisor, story, config):
    server = supervisor.start(config())
    await story.reaches(server, "Healthy")
    await supervisor.try_out(server, config(port=story.handle(server).port))
    await story.reaches_again(server, "Healthy")
    assert supervisor.server(server).rejected is None


# -- with a runner that does as the test says


@pytest.fixture
async def runner() -> ScriptedRunner:
    return ScriptedRunner()


class Examined:
    """Says what a model file tells once ``known`` is set."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self.asked = 0

    async def __call__(self, path) -> ModelFile:
        self.asked += 1
        await self.known.wait()
        return ModelFile(path)


@pytest.fixture
async def examined() -> Examined:
    return Examined()


@pytest.fixture
def scripted(runner, examined, bugs):
    return Supervisor(runner, runner, bugs, examine_model=examined)


@pytest.fixture
async def on_trial(request, runner, scripted, config):
    """The id of a server whose new configuration loads; what ran before was healthy."""
    server_id = scripted.start(config())
    await poll(lambda: runner.servers)
    runner.last.answer = OK
    await poll(lambda: scripted.server(server_id).state.word == "Healthy")
    scripted.restart(server_id, config(context_size=1), on_trial=True)
    await poll(lambda: len(runner.servers) == 2 and scripted.server(server_id).state.word == "Loading")
    assert runner.last.answer == LOADING
    yield server_id
    await scripted.aclose()


async def test_if_the_last_good_one_fails_too_it_ends_there(on_trial, runner, scripted, examined):
    examined.known.set()
    runner.start_error = ConfigurationError("port", 9000, "the port is gone")
    runner.last.end(-6)
    await poll(lambda: runner.starts == 3 and scripted.server(on_trial).state.word == "Failed")
    state = scripted.server(on_trial)
    assert state.state.failure.cause is FailureCause.CONFIGURATION
    assert isinstance(state.rejected, Rejected)
    for _turn in range(20):
        await asyncio.sleep(0)
    assert runner.starts == 3


@pytest.mark.parametrize("way", ["stop", "dismiss", "stop while it loads"])
async def test_who_pressed_stop_wants_none_of_it(on_trial, runner, scripted, examined, way):
    if way == "stop while it loads":
        await scripted.stop(on_trial)
        assert scripted.server(on_trial).state.word == "Stopped"
    else:
        runner.last.end(1)
        # The reason takes its time, and so does the return.
        await poll(lambda: examined.asked and scripted.server(on_trial).state.word == "Failed")
        if way == "stop":
            await scripted.stop(on_trial)
        else:
            scripted.dismiss(on_trial)
    examined.known.set()
    for _turn in range(50):
        await asyncio.sleep(0)
    assert runner.starts == 2
