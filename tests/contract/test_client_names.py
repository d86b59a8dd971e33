"""By what name clients call a server of any runner: its own, and no other one's."""

import asyncio
import json
from functools import partial

import httpx
import pytest

from gglib_desktop.domain.errors import StartFailed
from tests.contract.harness import LocalHarness
from tests.fakes.waiting import poll


def names(runner, handle):
    known = runner.describe(handle)
    return runner.names_said(known.config, known.command_line)


def name(runner, handle):
    (said,) = names(runner, handle)
    return said


async def test_it_is_the_models_name_where_nothing_else_is_said(runner, harness):
    handle = await runner.start(harness.config(model_name="Tiny, new\tone"))
    assert name(runner, handle) == "Tiny new one"
    assert runner.describe(handle).config.alias is None, "the choice is still nobody's"


async def test_no_two_servers_have_the_same(runner, harness):
    first = await runner.start(harness.config())
    second = await runner.start(harness.config())
    by_hand = await runner.start(harness.config(model_id=8, model_name="Other", alias="Tiny"))
    assert [name(runner, handle) for handle in (first, second, by_hand)] == ["Tiny", "Tiny (2)", "Tiny (3)"]
    await runner.stop(first)
    assert name(runner, await runner.start(harness.config())) == "Tiny"
    await runner.stop(second)
    assert name(runner, await runner.start(harness.config(alias="Tiny (2)"))) == "Tiny (2)"


async def test_starts_at_once_get_different_ones(runner, harness):
    handles = await asyncio.gather(*(runner.start(harness.config()) for _each in range(4)))
    assert {name(runner, handle) for handle in handles} == {"Tiny", "Tiny (2)", "Tiny (3)", "Tiny (4)"}


async def test_a_start_that_failed_leaves_its_name(runner, harness):
    with pytest.raises(StartFailed):
        await runner.start(harness.failing_config())
    assert name(runner, await runner.start(harness.config())) == "Tiny"


async def test_a_name_among_the_extra_arguments_counts_too(runner, harness):
    first = await runner.start(harness.config(extra_args=["--alias", "coder"]))
    second = await runner.start(harness.config(extra_args=["-a", "coder"]))
    assert [name(runner, handle) for handle in (first, second)] == ["coder", "coder (2)"]


async def test_servers_that_an_earlier_version_left_keep_theirs(runner, harness):
    """Their records know no alias; what they are called stands in their command lines."""
    first = await runner.start(harness.config(extra_args=["--alias", "coder"]))
    await runner.__aexit__(None, None, None)
    for file in harness.data_dir.glob("servers/*.json"):
        text = json.dumps(without_alias(json.loads(file.read_text())))
        assert '"alias"' not in text
        file.write_text(text)
    async with harness.runner() as later:
        assert list(await later.list_running()) == [first]
        assert name(later, first) == "coder"
        second = await later.start(harness.config(alias="coder"))
        assert name(later, second) == "coder (2)"


def without_alias(value):
    if isinstance(value, dict):
        return {key: without_alias(each) for key, each in value.items() if key != "alias"}
    return [without_alias(each) for each in value] if isinstance(value, list) else value


@pytest.mark.llama
async def test_it_is_what_the_real_engine_tells_clients(local):
    async with local.runner() as runner:
        handles = [await runner.start(local.config()) for _each in range(2)]
        try:
            for handle in handles:
                await poll(partial(is_healthy, runner, handle))
            async with httpx.AsyncClient(trust_env=False) as client:
                for handle, expected in zip(handles, ("Tiny", "Tiny (2)"), strict=True):
                    url = f"http://127.0.0.1:{handle.port}"
                    (model,) = (await client.get(f"{url}/v1/models")).json()["data"]
                    props = (await client.get(f"{url}/props")).json()
                    assert (model["id"], props["model_alias"]) == (expected, expected)
        finally:
            await asyncio.gather(*map(runner.kill, handles))


async def is_healthy(runner, handle):
    return (await runner.health(handle)).healthy


@pytest.mark.llama
async def test_an_engine_that_does_not_list_the_flag_is_not_given_it(local: LocalHarness):
    async with local.runner_with(local.stub) as runner:
        for asked in (local.config(), local.config(alias="coder")):
            handle = await runner.start(asked)
            assert names(runner, handle) == ()
            await runner.kill(handle)
