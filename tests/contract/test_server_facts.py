"""What every runner tells of a server's real settings, compared with what was asked for."""

from gglib_desktop.api import Runner
from gglib_desktop.domain.servers.effective import ServerFacts, differences
from gglib_desktop.domain.servers.server import ProcessHandle
from tests.contract.harness import EngineWords
from tests.fakes.waiting import poll

MODEL_CONTEXT = 8192


async def told(runner: Runner, handle: ProcessHandle, words: EngineWords) -> ServerFacts:
    """All that a ready server tells; its log may be a little late."""

    async def all_told():
        facts = await runner.facts(handle)
        return facts if facts is not None and (facts.context_shared is not None or not words.tells_all) else None

    facts: ServerFacts = await poll(all_told)
    return facts


async def test_what_was_asked_for_is_what_the_server_runs_with(harness, runner):
    template = "{{ messages[0].content }}"
    slots = harness.words.two_slots
    more = {"spec_draft_n_max": 2, "chat_template": template} if harness.words.tells_all else {}
    config = harness.config(context_size=4096, parallel=slots, **more)
    facts = await told(runner, await runner.start(config), harness.words)
    assert differences(config, facts, MODEL_CONTEXT) == ()
    if not harness.words.tells_all:
        assert (facts.slots, facts.context_size, facts.context_shared) == (slots, 4096, None), (
            "each has the whole of it"
        )
        return
    assert (facts.slots, facts.context_size) == (slots, 4096 // (slots or 1)), "each slot has its part"
    assert facts.context_shared is (slots is None)
    assert facts.drafts is True
    assert facts.chat_template == template


async def test_slots_that_nobody_counted_share_the_context(harness, runner):
    config = harness.config(context_size=2048)
    facts = await told(runner, await runner.start(config), harness.words)
    assert (facts.slots, facts.context_size) == (harness.words.slots, 2048)
    is_told = harness.words.tells_all or None
    assert facts.context_shared is is_told
    assert facts.drafts is (is_told and False)
    assert (facts.chat_template is not None) is bool(is_told)
    assert differences(config, facts, MODEL_CONTEXT) == ()


async def test_facts_of_a_server_that_loads_or_has_ended_are_not_made_up(harness, runner):
    handle = await runner.start(harness.config(context_size=1024))
    known = await told(runner, handle, harness.words)
    await runner.stop(handle)
    assert await runner.facts(handle) in {None, known}
