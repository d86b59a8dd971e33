"""What every runner tells of a server's real settings, compared with what was asked for."""

from gglib_desktop.api import Runner
from gglib_desktop.domain.servers.effective import ServerFacts, differences
from gglib_desktop.domain.servers.server import ProcessHandle
from tests.fakes.waiting import poll

MODEL_CONTEXT = 8192


async def told(runner: Runner, handle: ProcessHandle) -> ServerFacts:
    """All that a ready server tells; its log may be a little late."""

    async def all_told():
        facts = await runner.facts(handle)
        return facts if facts is not None and facts.context_shared is not None else None

    facts: ServerFacts = await poll(all_told)
    return facts


async def test_what_was_asked_for_is_what_the_server_runs_with(harness, runner):
    template = "{{ messages[0].content }}"
    slots = harness.words.two_slots
    config = harness.config(context_size=4096, parallel=slots, spec_draft_n_max=2, chat_template=template)
    facts = await told(runner, await runner.start(config))
    assert (facts.slots, facts.context_size) == (slots, 4096 // (slots or 1)), "each slot has its part"
    assert facts.context_shared is (slots is None)
    assert facts.drafts is True
    assert facts.chat_template == template
    assert differences(config, facts, MODEL_CONTEXT) == ()


async def test_slots_that_nobody_counted_share_the_context(harness, runner):
    config = harness.config(context_size=2048)
    facts = await told(runner, await runner.start(config))
    assert (facts.slots, facts.context_size, facts.context_shared) == (harness.words.slots, 2048, True)
    assert facts.drafts is False
    assert facts.chat_template
    assert differences(config, facts, MODEL_CONTEXT) == ()


async def test_facts_of_a_server_that_loads_or_has_ended_are_not_made_up(harness, runner):
    handle = await runner.start(harness.config(context_size=1024))
    known = await told(runner, handle)
    await runner.stop(handle)
    assert await runner.facts(handle) in {None, known}
