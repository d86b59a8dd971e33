"""What a real llama-server makes of what it was asked for, and what we say about it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import psutil
import pytest

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.servers.effective import Cause, Difference, ServerFacts, differences
from gglib_desktop.domain.servers.server import ProcessHandle, ServerConfig
from tests.contract.harness import LocalHarness, stop_all
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama

MODEL_CONTEXT = 8192
GPUS = ("/dev/dri", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")


@pytest.fixture
async def harness(data_dir, engine_path, tiny_model) -> AsyncIterator[LocalHarness]:
    harness = LocalHarness(data_dir, engine_path, tiny_model)
    yield harness
    await stop_all(harness)


@pytest.fixture
async def runner(harness) -> AsyncIterator[RecordedRunner]:
    async with harness.runner() as runner:
        yield runner


async def served(
    runner: RecordedRunner,
    config: ServerConfig,
    model_context: int = MODEL_CONTEXT,
    *,
    until: Callable[[ServerFacts], object] = lambda facts: facts.context_shared is not None,
) -> tuple[Difference, ...]:
    """Starts a server and compares, once its log has told what the test waits for."""
    return differences(config, await told(runner, await runner.start(config), until), model_context)


async def told(runner: RecordedRunner, handle: ProcessHandle, until: Callable[[ServerFacts], object]) -> ServerFacts:
    async def all_told():
        facts = await runner.facts(handle)
        return facts if facts is not None and until(facts) else None

    facts: ServerFacts = await poll(all_told)
    return facts


async def test_a_context_that_the_model_has_is_taken(harness, runner):
    assert await served(runner, harness.config(context_size=8192)) == ()


@pytest.mark.parametrize("parallel", [None, 2])
async def test_a_context_is_for_all_slots_together(harness, runner, parallel):
    assert await served(runner, harness.config(context_size=2048, parallel=parallel)) == ()


async def test_a_context_beyond_the_models_own_is_cut(harness, runner):
    def is_told(facts: ServerFacts) -> bool:
        return facts.context_capped and facts.context_shared is not None

    found = await served(runner, harness.config(context_size=65536), until=is_told)
    assert found == (Difference("context_size", 65536, 8192, Cause.MODEL_LIMIT),)


async def test_each_slot_is_cut_to_the_models_own_context(harness, runner):
    found = await served(runner, harness.config(context_size=65536, parallel=2))
    assert found == (Difference("context_size", 65536, 16384, Cause.MODEL_LIMIT),)


async def test_a_context_that_does_not_fit_the_memory_is_lowered_unasked(harness, runner, tmp_path: Path):
    spec = DemoSpec(name="Long", architecture=DemoArchitecture.LLAMA, context=1_000_000)
    model = write_demo_model(tmp_path / "long.gguf", spec)
    # The engine is to leave so much memory free that little is left for it.
    margin = psutil.virtual_memory().total // 2**20 - 100
    config = harness.config(model_path=model, extra_args=["--fit-target", str(margin)])
    (found,) = await served(runner, config, 1_000_000)
    assert (found.option, found.requested, found.cause) == ("context_size", 1_000_000, Cause.AUTO_FIT)
    assert isinstance(found.effective, int)
    assert 4096 <= found.effective < 1_000_000


@pytest.mark.skipif(any(Path(place).exists() for place in GPUS), reason="this computer has a GPU")
@pytest.mark.parametrize("more", [[], ["-lv", "4"]])
async def test_layers_for_a_gpu_that_is_not_there(harness, runner, more):
    config = harness.config(gpu_layers=99, extra_args=more)
    found = await served(runner, config, until=lambda facts: facts.layers is not None or not more)
    assert found == (Difference("gpu_layers", 99, 0, Cause.NO_GPU),)


async def test_a_template_that_the_engine_does_not_know_by_its_name(harness, runner):
    found = await served(runner, harness.config(chat_template="no-such-template"))
    assert found == (Difference("chat_template", "no-such-template", "no-such-template", Cause.UNSUPPORTED),)
    assert await served(runner, harness.config(chat_template="chatml")) == ()


async def test_drafting_by_other_means_is_named_once_it_is_known(harness, runner):
    asked = harness.config(spec_draft_n_max=2)
    handle = await runner.start(harness.config(extra_args=["--spec-type", "ngram-simple"]))
    facts = await told(runner, handle, lambda facts: facts.drafts)
    assert differences(asked, facts) == (), "before its first request it does not say how it drafts"
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=DEADLINE_S) as http:
        question = {"prompt": "the weather", "n_predict": 8}
        await http.post(f"http://127.0.0.1:{handle.port}/completion", json=question)
    facts = await told(runner, handle, lambda facts: facts.draft_types)
    assert differences(asked, facts) == (
        Difference("spec_draft_n_max", "draft-mtp", "ngram-simple", Cause.UNSUPPORTED),
    )
