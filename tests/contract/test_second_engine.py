"""An engine that shares no word with llama.cpp: what its driver takes, and what only this engine says."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.domain.launch.form import FormContext, form_state
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.options.sampling import InferenceConfig
from gglib_desktop.domain.servers.failures import FailureCause
from gglib_desktop.domain.servers.foreign import ForeignServer
from tests.contract.harness import ParrotHarness, stop_all
from tests.contract.test_process_runner import becomes_healthy
from tests.fakes import parrot_dialect, parrot_driver
from tests.fakes.library import some_facts
from tests.fakes.ports import some_base_port
from tests.fakes.waiting import poll
from tests.statements import statements


@pytest.fixture
async def harness(parrot: ParrotHarness):
    yield parrot
    await stop_all(parrot)


@pytest.fixture
def polly(parrot: ParrotHarness) -> Iterator[subprocess.Popen[bytes]]:
    """A server that another program started."""
    words = ("run", "--weights", str(parrot.model), "--listen", f"127.0.0.1:{some_base_port()}", "--window", "512")
    named = (*words, "--called", "Polly", "--secret", "cracker")
    with subprocess.Popen((parrot.engine, *named), env=parrot.environment) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(("module", "most"), [(parrot_driver, 120), (parrot_dialect, 70)])
def test_a_driver_and_a_dialect_are_small(module, most):
    assert statements(Path(module.__file__).read_text()) <= most


async def test_what_it_cannot_say_is_refused_with_its_field_before_the_start(harness, runner):
    for field, value in (
        ("parallel", 2),
        ("gpu_layers", 0),
        ("flash_attn", "off"),
        ("mmap", False),
        ("inference_config", InferenceConfig(top_k=3)),
    ):
        with pytest.raises(ConfigurationError, match="Parrot has no word for it") as caught:
            await runner.start(harness.config(**{field: value}))
        assert caught.value.field.split(".")[0] == field
    assert harness.traces() == []


async def test_a_form_shows_the_command_line_that_runs(harness, runner):
    model = Model(7, harness.model, some_facts(), None, 0.0, "Tiny")
    engine = parrot_dialect.parrot_at(harness.engine)
    dialect = parrot_dialect.ParrotDialect()
    context = FormContext(layer=Source.LAUNCH, model=model, engine=engine, dialect=dialect, base_port=9000)
    port = some_base_port()
    state = form_state(LaunchOptions(port=port, context_size=512), {}, context)
    assert state.command_line == (
        f"{harness.engine} run --weights {harness.model} --listen 127.0.0.1:{port} --window 512 --called Tiny"
    )
    assert state.config is not None
    handle = await runner.start(state.config)
    assert runner.describe(handle).command_line == state.command_line


async def test_a_crash_is_explained_in_its_words(harness, story):
    server_id = story.supervisor.start(harness.config(extra_args=["--greedy"]))
    failure = (await story.reaches(server_id, "Crashed")).failure
    assert (failure.cause, failure.evidence) == (FailureCause.OUT_OF_MEMORY, ("squawk: my beak is full",))
    assert "Healthy" in story.words(server_id)


async def test_a_failed_start_is_explained_in_its_words(harness, story):
    server_id = story.supervisor.start(harness.config(extra_args=["--nope"]))
    failure = (await story.reaches(server_id, "Failed")).failure
    assert (failure.cause, failure.flag) == (FailureCause.UNKNOWN_FLAG, "--nope")


async def test_requests_of_which_it_tells_nothing_are_not_read(harness, runner):
    assert runner.requests_reader(harness.config(), began_at=0.0) is None


async def test_one_that_another_program_started_is_found_and_taken_over(harness, runner, polly):
    async def listed():
        return [each for each in await runner.list_foreign() if each.pid == polly.pid and each.port]

    found: list[ForeignServer] = await poll(listed)
    assert found[0].command_line.endswith(" --called Polly --secret '[hidden]'")
    handle = await runner.adopt(found[0], model_id=7, model_name="Tiny")
    config = runner.describe(handle).config
    assert (config.model_path, config.context_size, config.alias) == (harness.model, 512, "Polly")
    await becomes_healthy(runner, handle)
    await runner.stop(handle)
    assert polly.wait() == 0
