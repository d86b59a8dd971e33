"""When servers are asked what they do, and what is told of it, on a clock that jumps."""

import asyncio
import itertools
import time
from dataclasses import replace

import pytest

from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.traffic.figures import Counters, MemoryUse, ServerFigures, SlotWork
from gglib_desktop.domain.traffic.requests import Finished, Launched, RequestEnd, RequestEvent, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.live import LiveFigures
from gglib_desktop.services.traffic.news import CountersRead, FiguresChanged, MachineMemory, RequestsRead
from tests.fakes.clock_loop import time_passes
from tests.fakes.details import FakeCards, FixedMemory
from tests.fakes.request_store import MemoryRequestStore
from tests.fakes.scripted_runner import NO_ANSWER, OK, ScriptedRunner, ScriptedServer
from tests.fakes.waiting import poll

pytestmark = pytest.mark.jumping_clock


class Desk:
    """A healthy server, its log, and all that is told of it."""

    def __init__(self, supervisor: Supervisor, runner: ScriptedRunner, scope) -> None:
        self.runner = runner
        self.supervisor = supervisor
        self.log: EventSource[RequestsRead] = EventSource()
        self.live = LiveFigures(supervisor, runner, scope, self.log.add)
        self.told: list[FiguresChanged] = []
        self.machine: list[MachineMemory] = []
        self.live.subscribe(self._on_event)
        self.live.begin()
        self.id = 0

    @property
    def server(self) -> ScriptedServer:
        return self.runner.last

    @property
    def figures(self) -> ServerFigures:
        return next((each.figures for each in reversed(self.told) if each.server_id == self.id), ServerFigures())

    def writes(self, *events: RequestEvent, live: bool = True) -> None:
        self.log.emit(RequestsRead(self.supervisor.server(self.id).log_name, events, live=live))

    def show(self, visible: bool) -> None:
        self.supervisor.visible = visible
        self.live.set_visible(visible)

    async def asked_in(self, seconds: float) -> dict[str, int]:
        self.server.asked.clear()
        await time_passes(seconds)
        return {name: self.server.asked.count(name) for name in ("slots", "counters", "memory")}

    def _on_event(self, event: FiguresChanged | MachineMemory) -> None:
        if isinstance(event, FiguresChanged):
            self.told.append(event)
        else:
            self.machine.append(event)


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
async def supervisor(runner, bugs):
    supervisor = Supervisor(runner, runner, bugs)
    yield supervisor
    await supervisor.aclose()


@pytest.fixture
async def desk(supervisor, runner, scope, config) -> Desk:
    desk = Desk(supervisor, runner, scope)
    await start(desk, config)
    return desk


async def start(desk: Desk, config) -> None:
    desk.id = desk.supervisor.start(config(), another=True)
    await poll(lambda: len(desk.runner.servers) == desk.id)
    desk.server.slots = [SlotWork(number) for number in range(4)]
    desk.server.answer = OK
    desk.server.memory = MemoryUse(1000, 600, 800)
    await poll(lambda: desk.figures.memory)
    await time_passes(10)


def slots(busy: int, gen_n: int = 0) -> list[SlotWork]:
    return [SlotWork(number, 7, is_busy=number < busy, gen_n=gen_n) for number in range(4)]


def launched(task: int = 7, slot: int = 0) -> Launched:
    return Launched(0, slot, task)


def finished(task: int = 7, slot: int = 0, gen_n: int = 100) -> Finished:
    return Finished(0, RequestRow(0, RequestEnd.OK, task, slot, 30.0, 100, 0, 50.0, gen_n, gen_n * 10.0))


def uses_cpu(desk: Desk, seconds: float) -> None:
    assert desk.server.usage is not None
    desk.server.usage = replace(desk.server.usage, cpu_s=desk.server.usage.cpu_s + seconds)


# -- idle


async def test_an_idle_server_is_asked_once_at_its_start_and_never_again(desk):
    assert [desk.server.asked.count(name) for name in ("slots", "counters")] == [1, 0]
    assert await desk.asked_in(3600) == {"slots": 0, "counters": 0, "memory": 0}
    figures = desk.figures
    assert (figures.generation, figures.busy_slots, figures.waiting, figures.cpu) == (0, 0, 0, 0)
    assert figures.slots == tuple(map(SlotWork, range(4)))
    assert figures.memory == MemoryUse(1000, 600, 800)


async def test_of_an_idle_server_nothing_new_is_told(desk):
    desk.told.clear()
    await time_passes(3600)
    assert desk.told == []


async def test_memory_is_read_again_where_it_changed_or_is_shared_with_others(desk, config):
    desk.server.usage = Usage(0.0, 2000)
    assert (await desk.asked_in(60))["memory"] >= 1
    assert (await desk.asked_in(60))["memory"] == 0
    first = desk.server
    await start(desk, config)
    assert first.asked == ["memory"]
    first.asked.clear()
    await desk.supervisor.stop(desk.id)
    await poll(lambda: first.asked == ["memory"])
    assert desk.figures == ServerFigures()


async def test_a_user_who_looks_again_is_told_nothing_of_an_idle_server(desk):
    desk.show(False)
    await time_passes(600)
    desk.told.clear()
    desk.show(True)
    await time_passes(600)
    assert desk.told == []


# -- at work, where the log tells of it


async def test_a_request_is_shown_at_once_and_followed_to_its_end(desk):
    desk.live.set_focus(desk.id)
    desk.writes(launched())
    assert (desk.figures.busy_slots, desk.figures.slots[0]) == (1, SlotWork(0, 7, is_busy=True))
    for quarter in range(1, 41):
        desk.server.slots = slots(1, gen_n=10 * quarter)
        await time_passes(0.25)
    assert desk.figures.generation == pytest.approx(40, rel=0.1)
    desk.server.slots = slots(0)
    desk.writes(finished(gen_n=410))
    await time_passes(1.5)
    assert (desk.figures.busy_slots, desk.figures.prompt, desk.figures.first_token_ms) == (0, 2000, 30)
    await time_passes(2)
    assert desk.figures.generation == 0
    assert sum(speed or 0 for speed in desk.figures.seconds) == pytest.approx(410)


async def test_the_server_that_the_user_sees_is_asked_four_times_a_second_others_once(desk):
    desk.writes(launched())
    desk.server.slots = slots(1)
    folded = await desk.asked_in(10)
    assert folded["slots"] == pytest.approx(10, abs=1)
    desk.live.set_focus(desk.id)
    opened = await desk.asked_in(10)
    assert opened["slots"] == pytest.approx(40, abs=2)
    assert folded["counters"] == opened["counters"] == 2


async def test_it_is_told_once_a_second(desk):
    desk.live.set_focus(desk.id)
    desk.writes(launched())
    desk.told.clear()
    for tenth in range(100):
        desk.server.slots = slots(1, gen_n=tenth)
        await time_passes(0.1)
    assert len(desk.told) == pytest.approx(10, abs=1)


async def test_it_is_told_each_second_however_long_answers_take(desk):
    desk.server.delays_s = itertools.cycle([0.3, 0.0, 0.1])
    desk.writes(launched())
    desk.told.clear()
    for second in range(60):
        desk.server.slots = slots(1, gen_n=10 * second)
        await time_passes(1)
    assert len(desk.told) == pytest.approx(60, abs=2)


async def test_a_hundred_short_requests_do_not_tell_a_hundred_times(desk):
    desk.told.clear()
    for task in range(100):
        desk.writes(launched(task))
        await time_passes(0.02)
        desk.writes(finished(task))
        await time_passes(0.02)
    assert len(desk.told) <= 4 / 0.2 + 2


async def test_after_a_burst_the_counters_are_asked_once_and_then_nothing(desk):
    desk.writes(launched(), finished())
    assert await desk.asked_in(600) == {"slots": 0, "counters": 1, "memory": 0}


async def test_how_many_wait_is_asked_each_second_while_all_slots_are_busy(desk):
    desk.server.counters = Counters(0, 0, 0, 0, deferred=3)
    desk.server.slots = slots(4)
    desk.writes(*(launched(slot=slot) for slot in range(4)))
    asked = await desk.asked_in(10)
    assert asked["counters"] == pytest.approx(10, abs=1)
    assert desk.figures.waiting == 3


async def test_an_engine_that_does_not_tell_its_slots_is_asked_seldom(desk):
    desk.server.slots = None
    desk.writes(launched())
    assert (await desk.asked_in(60))["slots"] == pytest.approx(12, abs=1)
    assert desk.figures.busy_slots == 1


async def test_the_history_runs_on_until_it_is_empty(desk):
    desk.writes(launched(), finished())
    await time_passes(60)
    assert any(desk.figures.seconds)
    await time_passes(90)
    assert not any(desk.figures.seconds)
    assert any(desk.figures.hour)
    await time_passes(3700)
    assert not any(desk.figures.hour)


async def test_what_was_read_late_lies_where_it_was(desk):
    desk.writes(replace(finished(), at=time.time() - 40), live=False)
    await time_passes(1)
    assert sum(speed or 0 for speed in desk.figures.seconds) == pytest.approx(100)
    assert not any(desk.figures.seconds[-35:])


async def test_other_logs_are_those_of_other_servers(desk):
    desk.log.emit(RequestsRead("another", [launched()]))
    assert desk.figures.busy_slots == 0


# -- at work, where the log does not tell


async def test_without_request_lines_the_processor_tells_with_the_next_look(desk):
    desk.server.slots, desk.server.cpu_s_per_question = slots(2), 1.0
    await time_passes(4)
    assert desk.figures.busy_slots == 2
    assert (await desk.asked_in(10))["slots"] == pytest.approx(10, abs=1)
    desk.server.slots, desk.server.cpu_s_per_question = slots(0), 0.0
    await time_passes(2)
    assert desk.figures.busy_slots == 0
    await time_passes(20)
    assert await desk.asked_in(60) == {"slots": 0, "counters": 0, "memory": 0}


async def test_what_an_engine_does_that_tells_nothing_is_known_while_it_rests_alone(desk):
    desk.server.slots = None
    await time_passes(10)
    assert desk.figures.busy_slots == 0
    desk.server.cpu_s_per_question = 1.0
    await time_passes(10)
    assert (desk.figures.busy_slots, desk.figures.generation, desk.figures.slots) == (None, None, ())
    assert (await desk.asked_in(60))["slots"] <= 60 / 5 + 1
    desk.server.cpu_s_per_question = 0.0
    await time_passes(10)
    assert (desk.figures.busy_slots, desk.figures.generation) == (0, 0)


async def test_use_of_the_processor_that_proved_to_be_no_work_is_none_next_time(desk):
    desk.server.cpu_s_per_question = 0.05
    assert (await desk.asked_in(60))["slots"] == 1
    desk.told.clear()
    await time_passes(60)
    assert desk.told == []
    desk.server.slots, desk.server.cpu_s_per_question = slots(1), 0.1
    await time_passes(4)
    assert desk.figures.busy_slots == 1


@pytest.mark.parametrize("cpu_s", [0.05, 1.0])
async def test_short_requests_that_no_line_and_no_slot_told_of_are_counted(desk, cpu_s):
    news: list[CountersRead] = []
    desk.live.subscribe_to_counters(news.append)
    desk.server.cpu_s_per_question = cpu_s
    for request in range(1, 11):
        desk.server.counters = Counters(100 * request, 1.0 * request, 100 * request, 1.0 * request)
        await time_passes(3.5)
    told = {each.counters.gen_n for each in news}
    assert len(told) >= 9, "each look finds more"
    assert sum(speed or 0 for speed in desk.figures.seconds) == pytest.approx(100 * (len(told) - 1))
    assert desk.server.asked.count("counters") <= 11
    desk.server.cpu_s_per_question = 0.0
    assert (await desk.asked_in(60))["counters"] <= 2
    assert await desk.asked_in(600) == {"slots": 0, "counters": 0, "memory": 0}


async def test_what_was_counted_without_a_line_is_counted_again_when_no_line_can_come_any_more(desk):
    asked_at: list[float] = []
    desk.live.subscribe_to_counters(lambda _news: asked_at.append(asyncio.get_running_loop().time()))
    desk.server.counters = Counters(0, 0.0, 100, 1.0)
    for _look in range(2):
        uses_cpu(desk, 1.0)
        await time_passes(3.5)
    await time_passes(60)
    assert 30 < asked_at[-1] - asked_at[0] < 35
    assert len(asked_at) <= 3


async def test_what_was_used_for_requests_is_not_taken_for_rest(desk):
    desk.server.cpu_s_per_question = 0.1
    for request in range(1, 4):
        desk.server.counters = Counters(0, 0.0, 100 * request, 1.0 * request)
        await time_passes(3.5)
    await time_passes(3.5)
    desk.server.cpu_s_per_question = 0.0
    await time_passes(60)
    desk.server.slots, desk.server.cpu_s_per_question = slots(1), 0.1
    await time_passes(4)
    assert desk.figures.busy_slots == 1


async def test_where_the_log_tells_of_requests_other_work_is_none(desk):
    desk.writes(launched(), finished())
    await time_passes(10)
    desk.server.cpu_s_per_question = 1.0
    assert (await desk.asked_in(60))["slots"] == 0
    assert desk.figures.cpu == pytest.approx(100 / 3.5, rel=0.1)


# -- unseen, asleep, unwell


async def test_unseen_only_the_log_is_read_and_one_question_follows_a_burst(desk):
    desk.show(False)
    desk.told.clear()
    desk.writes(launched())
    assert await desk.asked_in(60) == {"slots": 0, "counters": 0, "memory": 0}
    desk.writes(finished())
    desk.writes(launched(8))
    await time_passes(1)
    desk.writes(finished(8))
    assert await desk.asked_in(60) == {"slots": 0, "counters": 1, "memory": 0}
    desk.show(True)
    await time_passes(1)
    assert sum(speed or 0 for speed in desk.figures.seconds) == pytest.approx(200)


async def test_one_that_may_sleep_is_asked_while_it_works_and_never_else(desk, runner, supervisor, config):
    runner.facts_said = ServerFacts(slots=4, may_sleep=True)
    await start(desk, config)
    desk.server.cpu_s_per_question = 1.0
    desk.writes(launched())
    desk.server.slots = slots(1)
    assert (await desk.asked_in(10))["slots"] == pytest.approx(10, abs=1)
    desk.server.slots = slots(0)
    desk.writes(finished())
    assert await desk.asked_in(600) == {"slots": 0, "counters": 1, "memory": 0}
    desk.show(False)
    desk.writes(launched(8), finished(8))
    assert await desk.asked_in(600) == {"slots": 0, "counters": 0, "memory": 0}
    desk.show(True)
    assert await desk.asked_in(600) == {"slots": 0, "counters": 0, "memory": 0}


async def test_one_that_has_fallen_asleep_does_nothing(desk, runner, config):
    runner.facts_said = ServerFacts(slots=4, may_sleep=True)
    await start(desk, config)
    desk.server.slots = ()
    uses_cpu(desk, 0.1)
    assert await desk.asked_in(60) == {"slots": 1, "counters": 0, "memory": 0}
    assert (desk.figures.busy_slots, desk.figures.generation) == (0, 0)
    assert desk.figures.slots == tuple(map(SlotWork, range(4)))
    uses_cpu(desk, 0.1)
    assert (await desk.asked_in(60))["slots"] == 1, "to fall asleep was no rest"


async def test_one_that_does_not_answer_is_not_asked_and_nothing_is_known_of_it(desk, story):
    desk.writes(launched())
    desk.server.answer = NO_ANSWER
    await story.reaches(desk.id, "Unresponsive")
    assert (desk.figures.busy_slots, desk.figures.generation, desk.figures.slots) == (None, None, ())
    assert desk.figures.memory
    assert await desk.asked_in(60) == {"slots": 0, "counters": 0, "memory": 0}


async def test_a_restart_begins_anew(desk, story):
    desk.writes(launched(), finished())
    desk.supervisor.restart(desk.id)
    await poll(lambda: len(desk.runner.servers) == 2)
    desk.server.answer = OK
    await story.reaches(desk.id, "Healthy")
    await time_passes(5)
    assert not any(desk.figures.seconds)


async def test_a_dismissed_server_is_forgotten(desk):
    await desk.supervisor.stop(desk.id)
    desk.supervisor.dismiss(desk.id)
    assert desk.figures == ServerFigures()


# -- earlier, and beside it


async def test_what_an_earlier_program_saw_is_in_the_history(runner, supervisor, scope, config, bugs):
    handle = await runner.start(config())
    runner.last.answer = OK
    store = MemoryRequestStore()
    rows = [RequestRow(time.time() - age_s, RequestEnd.OK, 1, 0, 30.0, 100, 0, 50.0, 100, 1e3) for age_s in (9999, 600)]
    await store.keep([RunNews(RunFacts(f"log-{handle.pid}", 1, "Model 1"), ReadSoFar(), rows)])
    told: list[ServerFigures] = []
    live = LiveFigures(supervisor, runner, scope, EventSource[RequestsRead]().add, store)
    live.subscribe(lambda event: told.append(event.figures) if isinstance(event, FiguresChanged) else None)
    live.begin()
    await supervisor.adopt()
    await poll(lambda: told and told[-1].first_token_ms)
    assert (told[-1].prompt, told[-1].first_token_ms) == (2000, 30)
    assert sum(speed or 0 for speed in told[-1].hour[:-1]) == pytest.approx(100 / 30)


async def test_what_the_log_told_meanwhile_is_not_counted_again(runner, supervisor, scope, config):
    handle = await runner.start(config())
    runner.last.answer = OK
    store, log = MemoryRequestStore(), EventSource[RequestsRead]()
    now = time.time()
    rows = [RequestRow(now - age_s, RequestEnd.OK, 1, 0, 30.0, 100, 0, 50.0, 100, 1e3) for age_s in (600, 60)]
    await store.keep([RunNews(RunFacts(f"log-{handle.pid}", 1, "Model 1"), ReadSoFar(), rows)])
    told: list[ServerFigures] = []
    live = LiveFigures(supervisor, runner, scope, log.add, store)
    live.subscribe(lambda event: told.append(event.figures) if isinstance(event, FiguresChanged) else None)
    live.begin()
    supervisor.take_over(handle)
    log.emit(RequestsRead(f"log-{handle.pid}", [Finished(rows[1].ended, rows[1])], live=False))
    await time_passes(5)
    assert sum(speed or 0 for speed in told[-1].hour[:-1]) == pytest.approx(2 * 100 / 30)
    assert told[-1].first_token_ms == 30


async def test_the_memory_of_the_computer_is_told(desk):
    card = GraphicsCard("Card", Memory(24 * 2**30, 0))
    await desk.live.measure(FixedMemory(), FakeCards(card, card))
    await desk.live.measure(FixedMemory(), FakeCards())
    assert desk.machine == [MachineMemory(16 * 2**30, 48 * 2**30), MachineMemory(16 * 2**30)]
