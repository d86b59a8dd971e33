"""Endpoints of the settings: watched, used, taken over live, and detached with their keys."""

import asyncio
from collections.abc import Callable

import pytest

from gglib_desktop.domain.documents.settings import EndpointSettings
from gglib_desktop.domain.endpoints.look import EndpointLook, Trouble
from gglib_desktop.domain.errors import ChatRefused, KeyRefused, KeyStoreError, NoSuchModel
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.chat import AnswerText, ChatMessage, ChatRequest, Role
from gglib_desktop.domain.traffic.figures import Counters, SlotWork
from gglib_desktop.services.endpoints.endpoints import Endpoints
from gglib_desktop.services.endpoints.snapshot import EndpointChanged, EndpointEvent, EndpointRemoved, EndpointSnapshot
from gglib_desktop.services.settings.settings_keeper import SettingsKeeper
from tests.fakes.clock_loop import time_passes
from tests.fakes.endpoints import FakeClient, FakeEngine, FakeKeys
from tests.fakes.settings import FakeSettingsStore
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock

HELLO = ChatRequest((ChatMessage(Role.USER, "Hello"),))
MAC = EndpointSettings(url="http://mac:8000/v1", name="Mac")


class Bench:
    def __init__(self, scope) -> None:
        self.client, self.keys = FakeClient(), FakeKeys()
        self.settings = SettingsKeeper(FakeSettingsStore())
        self.endpoints = Endpoints(self.settings, self.keys, self.client, scope)
        self.events: list[EndpointEvent] = []
        self.endpoints.subscribe(self.events.append)

    async def add(self, **listed: EndpointSettings) -> None:
        await self.settings.change(endpoints={**self.settings.current.endpoints, **listed})

    @property
    def last(self) -> EndpointSnapshot:
        return next(each.snapshot for each in reversed(self.events) if isinstance(each, EndpointChanged))

    @property
    def words(self) -> list[str]:
        words = [each.snapshot.state.word for each in self.events if isinstance(each, EndpointChanged)]
        return [word for index, word in enumerate(words) if index == 0 or words[index - 1] != word]

    async def sees(self, condition: Callable[[EndpointSnapshot], object]) -> EndpointSnapshot:
        await poll(lambda: condition(self.last))
        return self.last


@pytest.fixture
async def bench(scope):
    bench = Bench(scope)
    await bench.add(mac=MAC)
    bench.endpoints.begin()
    return bench


async def test_one_is_watched_with_its_name_its_models_and_its_key(scope):
    bench = Bench(scope)
    bench.keys.kept["mac"] = "sk-1"
    await bench.add(mac=MAC)
    bench.endpoints.begin()
    seen = await bench.sees(lambda seen: seen.state.word == "Healthy")
    assert (seen.id, seen.number, seen.name, seen.url) == ("mac", 1, "Mac", "http://mac:8000/v1")
    assert (seen.models, seen.model, seen.has_key, seen.tells_work) == (("big", "small"), "big", True, False)
    assert bench.client.looks[0] == ("http://mac:8000/v1", "sk-1")
    assert bench.endpoints.key(1) == "sk-1"
    assert bench.words == ["Checking", "Healthy"]


async def test_three_silent_looks(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.answer = EndpointLook(Trouble.SILENT)
    await bench.sees(lambda seen: seen.state.word == "Unresponsive")
    assert bench.words == ["Checking", "Healthy", "Degraded", "Unresponsive"]
    assert bench.last.models == ("big", "small"), "as they were seen last"


async def test_it_is_looked_at_rarely_while_the_window_is_hidden(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.endpoints.set_visible(False)
    before = len(bench.client.looks)
    await asyncio.sleep(60)
    assert len(bench.client.looks) - before <= 4
    before = len(bench.client.looks)
    bench.endpoints.set_visible(True)
    await asyncio.sleep(0.1)
    assert len(bench.client.looks) == before + 1


async def test_a_key_that_cannot_be_read_is_told_and_it_is_asked_without(scope):
    bench = Bench(scope)
    bench.keys.problem = KeyStoreError("locked")
    await bench.add(mac=MAC)
    bench.endpoints.begin()
    seen = await bench.sees(lambda seen: seen.state.word == "Healthy")
    assert (seen.key_problem, seen.has_key) == ("locked", False)


# -- the settings


async def test_changes_of_the_settings_are_taken_over(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    await bench.add(mac=MAC.replace(name=None))
    assert bench.last.name == "mac"
    await bench.add(mac=EndpointSettings(url="http://other:1/v1"))
    assert isinstance(bench.events[-2], EndpointRemoved)
    assert (bench.last.number, bench.last.url, bench.last.state.word) == (2, "http://other:1/v1", "Checking")
    await bench.add(lab=EndpointSettings(url="http://lab:1"))
    assert (bench.last.number, bench.last.url) == (3, "http://lab:1/v1")


async def test_one_that_is_removed_from_the_file_loses_its_key_a_little_later(bench):
    bench.keys.kept["mac"] = "sk-1"
    await bench.settings.change(endpoints={})
    assert bench.events[-1] == EndpointRemoved(1)
    await asyncio.sleep(1)
    assert bench.keys.kept == {"mac": "sk-1"}, "the file may have been half written"
    await asyncio.sleep(10)
    assert bench.keys.kept == {}


async def test_one_that_comes_back_keeps_its_key(bench):
    bench.keys.kept["mac"] = "sk-1"
    await bench.settings.change(endpoints={})
    await asyncio.sleep(1)
    await bench.add(mac=MAC)
    await asyncio.sleep(10)
    assert bench.keys.kept == {"mac": "sk-1"}


async def test_detaching_removes_it_with_its_key_at_once(bench):
    bench.keys.kept["mac"] = "sk-1"
    await bench.endpoints.detach(1)
    assert bench.settings.current.endpoints == {}
    assert bench.keys.kept == {}
    assert bench.events[-1] == EndpointRemoved(1)
    await bench.endpoints.detach(1)


# -- its models


async def test_the_chosen_model_is_used_and_missed(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.endpoints.choose(1, "small")
    bench.client.answer = EndpointLook(models=("big",))
    seen = await bench.sees(lambda seen: seen.state.word == "No such model")
    assert (seen.model, seen.state.detail) == ("small", "small")
    bench.endpoints.choose(1, "big")
    await bench.sees(lambda seen: seen.state.word == "Healthy")


async def test_another_only_model_is_used_silently(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.answer = EndpointLook(models=("new",))
    seen = await bench.sees(lambda seen: seen.model == "new")
    assert seen.state.word == "Healthy"


# -- chats


async def said(bench: Bench) -> list[object]:
    ask = bench.endpoints.chat(1)
    assert ask is not None
    return [piece async for piece in ask(HELLO)]


async def test_a_chat_is_for_the_chosen_model(bench):
    bench.client.pieces = [AnswerText("Hi")]
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.endpoints.choose(1, "small")
    assert await said(bench) == [AnswerText("Hi")]
    ((address, request),) = bench.client.chats
    assert (address.api, request.model) == ("http://mac:8000/v1", "small")
    assert bench.endpoints.chat(7) is None


async def test_a_chat_that_is_refused_shows_that_we_are_not_authorized(bench):
    """Some list their models for everyone."""
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.refusal = KeyRefused("wrong key")
    with pytest.raises(KeyRefused):
        await said(bench)
    seen = await bench.sees(lambda seen: seen.state.word == "Not authorized")
    assert seen.state.trouble is Trouble.KEY_WANTED
    bench.client.refusal, bench.client.pieces = None, [AnswerText("Hi")]
    await said(bench)
    await bench.sees(lambda seen: seen.state.word == "Healthy")


async def test_another_key_counts_at_once(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.refusal = KeyRefused("wrong key")
    with pytest.raises(KeyRefused):
        await said(bench)
    await bench.sees(lambda seen: seen.state.word == "Not authorized")
    bench.keys.kept["mac"] = "sk-2"
    bench.endpoints.read_key("mac")
    bench.endpoints.read_key("gone")
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    assert bench.endpoints.key(1) == "sk-2"
    assert bench.client.looks[-1] == ("http://mac:8000/v1", "sk-2")


async def test_a_model_that_is_listed_and_not_there(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.refusal = NoSuchModel("not loaded")
    with pytest.raises(NoSuchModel):
        await said(bench)
    seen = await bench.sees(lambda seen: seen.state.word == "No such model")
    assert (seen.state.detail, seen.models) == ("big", ("big", "small"))
    bench.endpoints.choose(1, "small")
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.endpoints.choose(1, "big")
    await bench.sees(lambda seen: seen.state.word == "No such model")
    bench.client.refusal, bench.client.pieces = None, [AnswerText("Hi")]
    await said(bench)
    await bench.sees(lambda seen: seen.state.word == "Healthy")


async def test_a_chat_that_is_put_off_is_believed_for_a_while(bench):
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.refusal = ChatRefused("all slots are taken")
    bench.client.refusal.status = 503
    with pytest.raises(ChatRefused):
        await said(bench)
    seen = await bench.sees(lambda seen: seen.state.word == "Degraded")
    assert (seen.state.trouble, seen.state.detail, seen.models) == (Trouble.NOT_NOW, "503", ("big", "small"))
    await bench.sees(lambda seen: seen.state.word == "Healthy")
    bench.client.refusal.status = 400
    with pytest.raises(ChatRefused):
        await said(bench)
    await time_passes(5.0)
    assert bench.last.state.word == "Healthy"


# -- what it does


@pytest.fixture
async def known(bench):
    bench.client.engine = FakeEngine()
    bench.client.answer = EndpointLook(models=("tiny",), is_known=True)
    await bench.sees(lambda seen: seen.tells_work)
    return bench


async def test_one_of_a_known_kind_tells_what_it_does(known):
    assert (known.last.facts.context_size, known.last.figures.busy_slots) == (4096, 0)
    known.client.engine.doing = (SlotWork(0, 1, is_busy=True, gen_n=5), SlotWork(1))
    await known.sees(lambda seen: seen.figures.busy_slots == 1)
    asked = known.client.engine.asked
    await asyncio.sleep(5)
    assert known.client.engine.asked >= asked + 4, "once a second while it works"


async def test_prompts_are_timed_by_its_counters(known):
    known.client.engine.counts = Counters(100, 1.0, 0, 0.0)
    await asyncio.sleep(8)
    known.client.engine.counts = Counters(300, 2.0, 50, 1.0)
    seen = await known.sees(lambda seen: seen.figures.prompt)
    assert seen.figures.prompt == 200


async def test_one_without_slots_tells_how_many_requests_it_has(bench):
    bench.client.engine = FakeEngine(told=ServerFacts(context_size=4096), doing=None)
    bench.client.engine.counts = Counters(100, None, 50, None, processing=2, deferred=3)
    bench.client.answer = EndpointLook(models=("tiny",), is_known=True)
    seen = await bench.sees(lambda seen: seen.figures.busy_slots)
    assert (seen.figures.busy_slots, seen.figures.waiting, seen.figures.slots) == (2, 3, ())
    await asyncio.sleep(2)
    bench.client.engine.counts = Counters(100, None, 150, None, processing=1, deferred=0)
    await bench.sees(lambda seen: seen.figures.busy_slots == 1)
    await bench.sees(lambda seen: seen.figures.generation)
    bench.client.engine.counts = Counters(100, None, 150, None, processing=0, deferred=0)
    await bench.sees(lambda seen: seen.figures.busy_slots == 0)


async def test_one_that_refuses_its_work_is_not_authorized(bench):
    bench.client.engine = FakeEngine(told=ServerFacts(wants_key=True, refused=True))
    bench.client.answer = EndpointLook(models=("tiny",), is_known=True)
    await bench.sees(lambda seen: seen.state.word == "Not authorized")
    assert bench.client.engine.asked == 0


async def test_one_that_may_sleep_is_left_alone_after_a_while(known):
    engine = known.client.engine
    engine.may_sleep = True
    await asyncio.sleep(600)
    asked = engine.asked
    await asyncio.sleep(600)
    assert engine.asked - asked <= 2
    assert known.last.figures.busy_slots is None, "what was seen long ago is not known"
    known.endpoints.look(1)
    await asyncio.sleep(0.1)
    assert known.last.figures.busy_slots == 0


async def test_what_nobody_has_is_not_believed(bench):
    bench.client.engine = FakeEngine(told=ServerFacts(slots=10**9), doing=tuple(SlotWork(each) for each in range(300)))
    bench.client.answer = EndpointLook(models=("tiny",), is_known=True)
    seen = await bench.sees(lambda seen: seen.facts)
    assert (seen.facts.slots, seen.figures.slots) == (None, ())


async def test_one_that_is_gone_does_nothing(known):
    known.client.answer = EndpointLook(Trouble.REFUSED)
    seen = await known.sees(lambda seen: seen.state.word == "Unreachable")
    assert seen.figures.busy_slots is None
