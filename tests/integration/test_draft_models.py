"""A real llama-server drafts with a file of its own: a small model, or a head."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.runner.recorded_runner import RecordedRunner
from gglib_desktop.domain.servers.effective import Cause, Difference, differences
from gglib_desktop.domain.servers.server import ServerConfig
from tests.contract.harness import LocalHarness, stop_all
from tests.fakes.waiting import DEADLINE_S, poll

pytestmark = pytest.mark.llama


@pytest.fixture
async def harness(data_dir, engine_path, plain_model) -> AsyncIterator[LocalHarness]:
    harness = LocalHarness(data_dir, engine_path, plain_model)
    yield harness
    await stop_all(harness)


@pytest.fixture
async def runner(harness) -> AsyncIterator[RecordedRunner]:
    async with harness.runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = DemoSpec(name="Small", architecture=DemoArchitecture.LLAMA, layers=1)
    return write_demo_model(tmp_path_factory.mktemp("drafts") / "small.gguf", spec)


async def drafted(runner: RecordedRunner, config: ServerConfig) -> tuple[int, tuple[Difference, ...]]:
    """The drafted tokens of one answer, and what is in force beside what was asked for."""
    handle = await runner.start(config)

    async def healthy():
        return (await runner.health(handle)).healthy

    await poll(healthy)
    body = {"prompt": "the ", "n_predict": 24, "seed": 1, "temperature": 0.6}
    async with httpx.AsyncClient(timeout=DEADLINE_S, trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{handle.port}/completion", json=body)

    async def facts():
        told = await runner.facts(handle)
        return told if told is not None and told.drafts is not None else None

    return answer.json()["timings"].get("draft_n", 0), differences(config, await poll(facts))


async def test_a_small_model_with_the_same_vocabulary_drafts(harness, runner, small_model):
    config = harness.config(spec_draft_n_max=2, spec_draft_p_min=0.0, spec_draft_model=small_model, threads=1)
    count, differing = await drafted(runner, config)
    assert count > 0
    assert differing == ()


async def test_a_head_in_a_file_of_its_own_drafts(tiny_model, tmp_path, harness, runner):
    spec = DemoSpec(name="Headless", architecture=DemoArchitecture.QWEN35)
    model = write_demo_model(tmp_path / "headless.gguf", spec)
    config = harness.config(
        model_path=model, spec_draft_n_max=2, spec_draft_model=tiny_model, spec_type="draft-mtp", threads=1
    )
    count, differing = await drafted(runner, config)
    assert count > 0
    assert differing == ()


async def test_a_model_with_another_vocabulary_drafts_nothing_and_the_panel_says_so(harness, runner, tmp_path):
    spec = DemoSpec(name="Other", architecture=DemoArchitecture.LLAMA, layers=1, extra_vocab=300)
    other = write_demo_model(tmp_path / "other.gguf", spec)
    config = harness.config(spec_draft_n_max=2, spec_draft_model=other, threads=1)
    count, differing = await drafted(runner, config)
    assert count == 0
    assert differing == (Difference("spec_draft_n_max", "draft-simple", None, Cause.UNSUPPORTED),)


async def test_a_method_without_a_model_is_in_force(harness, runner):
    _count, differing = await drafted(runner, harness.config(spec_draft_n_max=2, spec_type="ngram-mod", threads=1))
    assert differing == ()
