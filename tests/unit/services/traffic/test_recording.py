"""Requests are told at once and kept once, whatever becomes of servers, of this program and of the disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import HistoryError, HistorySetAside
from gglib_desktop.domain.servers.effective import ServerFacts
from gglib_desktop.domain.traffic.figures import Counters
from gglib_desktop.domain.traffic.requests import Finished, Launched, RequestEnd, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.services.traffic.news import (
    CountersRead,
    RecordingNews,
    RecordingProblem,
    RequestsAudited,
    RequestsKept,
    RequestsRead,
)
from gglib_desktop.services.traffic.recording import RequestRecorder
from tests.fakes.clock_loop import now, time_passes
from tests.fakes.request_store import MemoryRequestStore
from tests.fakes.scripted_runner import OK
from tests.unit.services.traffic.talking import TalkingRunner

pytestmark = pytest.mark.jumping_clock

RUN = "log-100"
SETTINGS = AppSettings(requests_keep_rows=5000, requests_keep_days=10)


class Program:
    """A program over servers that may have been left by another one."""

    def __init__(self, runner: TalkingRunner, store: MemoryRequestStore, bugs) -> None:
        self.runner = runner
        self.store = store
        self.supervisor = Supervisor(runner, runner, bugs)
        self.settings = SETTINGS
        self.recorder = RequestRecorder(self.supervisor, store, lambda: self.settings, bugs, clock=self.time)
        self.read: list[RequestsRead] = []
        self.news: list[RecordingNews] = []
        self.recorder.subscribe(self.read.append)
        self.recorder.subscribe_to_news(self.news.append)

    def time(self) -> float:
        return 1000 + now()

    def told(self, *, live: bool = True) -> list[str]:
        return [_word(event) for each in self.read if each.live is live for event in each.events]

    def rows(self, run: str = RUN) -> list[tuple[int | None, str]]:
        return [(row.task, row.end.value) for row in self.store.rows(run)]

    async def open(self) -> None:
        self.recorder.begin()
        assert self.runner.unread is not None
        await self.runner.unread()
        await self.supervisor.adopt()
        await time_passes(0.1)

    async def close(self) -> None:
        await self.recorder.aclose()
        await self.supervisor.aclose()


def _word(event: object) -> str:
    match event:
        case Launched(_, _, task):
            return f"launched {task}"
        case Finished(_, row):
            return f"finished {row.task}"
    return type(event).__name__.lower()


@pytest.fixture
def runner() -> TalkingRunner:
    return TalkingRunner()


@pytest.fixture
def store() -> MemoryRequestStore:
    return MemoryRequestStore()


@pytest.fixture
def program(runner, store, bugs):
    @asynccontextmanager
    async def program() -> AsyncIterator[Program]:
        running = Program(runner, store, bugs)
        try:
            await running.open()
            yield running
        finally:
            await running.close()

    return program


async def test_requests_are_told_at_once_and_kept_once_a_second(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config(spec_draft_n_max=3, threads=4))
        await time_passes(2)
        written = store.writes
        for task in range(5):
            runner.write(RUN, f"launch {task}\ndone {task}\nrefuse\n")
            await time_passes(0.01)
        assert running.told()[-3:] == ["launched 4", "finished 4", "refused"]
        assert running.rows() == []
        await time_passes(1)
        assert running.rows() == [(task, "ok") for task in range(5)]
        assert (store.refused[RUN], store.writes) == (5, written + 1)
        assert RequestsKept(frozenset({RUN})) in running.news
        facts, read = store.runs[RUN]
        assert (read.offset, read.over) == (len(runner.logs[RUN]), False)
        assert (facts.model, facts.n_max) == ("Model 1", 3)
        assert store.rows(RUN)[0].started == pytest.approx(1000.1, abs=0.01), "not the whole second before"


async def test_what_a_run_has_in_common_is_known_once_its_server_tells(program, runner, store, config):
    runner.facts_said = ServerFacts(build="b10434", drafts=False, gpu_layers=0)
    async with program() as running:
        running.supervisor.start(config(spec_draft_n_max=3, threads=4, cache_type_k="q8_0"))
        await time_passes(1)
        runner.last.answer = OK
        await time_passes(5)
        runner.write(RUN, "launch 1\ndone 1\n")
        await time_passes(2)
    speed = "b10434 gpu_layers=0 threads=4 cache_type_k=q8_0"
    assert store.runs[RUN][0] == RunFacts(RUN, 1, "Model 1", "b10434", None, None, speed)


async def test_idle_servers_cost_nothing(program, runner, store, config):
    async with program() as running:
        for model_id in (1, 2):
            running.supervisor.start(config(model_id=model_id))
        await time_passes(5)
        reads, writes = runner.reads, store.writes
        await time_passes(60)
        assert (runner.reads, store.writes) == (reads, writes)


async def test_a_program_that_ends_at_once_does_not_touch_the_history(runner, store, bugs):
    """For another one may have it."""
    running = Program(runner, store, bugs)
    running.recorder.begin()
    await running.close()
    assert store.writes == 0


async def test_a_request_of_which_a_part_stays_away_is_over_in_the_end(program, runner, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\nlaunch 2\nrelease 1\n")
        for _second in range(3):
            await time_passes(1)
            runner.write(RUN, "another line\n")
        await time_passes(3)
        assert running.told() == ["launched 1", "launched 2", "finished 1"]
        assert running.rows() == [(1, "cancelled")]


async def test_the_end_of_a_server_ends_its_requests_and_its_run(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\nlaunch 2\ndone 1\n")
        runner.last.end(1)
        await time_passes(2)
        assert running.rows() == [(1, "ok"), (2, "cancelled")]
        assert store.runs[RUN][1].over
        assert runner.listeners == []


# -- one program after the other


async def test_the_next_program_goes_on_where_the_last_one_stopped(program, runner, store, config):
    async with program() as first:
        first.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\nlaunch 2\ndone 1\nlau")
    assert store.runs[RUN][1].offset == len(runner.logs[RUN]) - 3
    runner.write(RUN, "nch 3\ndone 3\n")
    async with program() as second:
        await time_passes(2)
        assert second.told(live=False) == ["launched 3", "finished 3"]
        runner.write(RUN, "done 2\n")
        await time_passes(2)
        assert second.told() == ["finished 2"]
    assert first.rows() == [(1, "ok"), (3, "ok"), (2, "ok")]
    assert store.runs.keys() == {RUN}


async def test_what_was_not_kept_when_the_program_was_killed_is_read_again(program, runner, store, config):
    async with program() as first:
        first.supervisor.start(config())
        await time_passes(2)
        runner.write(RUN, "launch 1\ndone 1\nlaunch 2\n")
        await time_passes(2)
        kept = dict(store.runs), list(store.kept)
        runner.write(RUN, "done 2\nlaunch 3\ndone 3\n")
        await time_passes(0.5)
        assert first.told()[-1] == "finished 3"
    store.runs, store.kept = kept
    async with program() as second:
        await time_passes(2)
        assert second.rows() == [(1, "ok"), (2, "ok"), (3, "ok")]


async def test_runs_that_ended_without_us_are_read_to_their_end(program, runner, store, config):
    async with program() as first:
        first.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\n")
    runner.write(RUN, "done 1\nlaunch 2\ndone 2\nlaunch 3\n")
    runner.last.end(None)
    async with program() as second:
        await time_passes(2)
        assert second.rows() == [(1, "ok"), (2, "ok"), (3, "cancelled")]
        assert store.runs[RUN][1].over
        assert second.told() == []
    async with program() as third:
        await time_passes(2)
        assert len(third.rows()) == 3


async def test_runs_that_are_found_only_after_all_servers_are_read_to_their_end(runner, store, bugs):
    store.runs["old"] = RunFacts("old", 1, "Old"), ReadSoFar(0, "")
    runner.logs["old"] = b"launch 1\ndone 1\nlaunch 2\n"
    store.slow = asyncio.Event()
    running = Program(runner, store, bugs)
    running.recorder.begin()
    finding = asyncio.ensure_future(runner.unread())
    await time_passes(1)
    await running.supervisor.adopt()
    store.slow.set()
    assert list(await finding) == ["old"]
    await time_passes(2)
    assert running.rows("old") == [(1, "ok"), (2, "cancelled")]
    assert store.runs["old"][1].over
    await running.close()


async def test_a_run_is_known_to_the_next_program_from_its_beginning(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(0.01)
        assert store.runs.keys() == {RUN}


async def test_logs_that_are_not_read_are_spared(program, runner, store):
    store.runs["old"] = RunFacts("old", 1, "Old"), ReadSoFar(0, "")
    runner.logs["old"] = b"something else\n" * 10_000
    running = Program(runner, store, None)
    running.recorder.begin()
    assert list(await runner.unread()) == ["old"]
    await running.supervisor.adopt()
    await time_passes(5)
    assert list(await runner.unread()) == []
    await running.close()


async def test_a_part_of_a_log_that_was_lost_is_a_row(program, runner, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\n")
        await time_passes(1)
        runner.begins[RUN] = len(runner.logs[RUN]) + 7
        runner.write(RUN, "done 1\nlaunch 2\ndone 2\n")
        await time_passes(2)
        del runner.logs[RUN]
        runner.begins.clear()
        runner.write(RUN, "launch 3\ndone 3\n")
        await time_passes(2)
        lost = (None, "not recorded")
        assert running.rows() == [lost, (2, "ok"), lost, (3, "ok")]


# -- the disk


async def test_a_full_disk_pauses_it_with_one_notice_until_there_is_room(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(2)
        runner.write(RUN, "launch 1\ndone 1\nlaunch 2\n")
        await time_passes(2)
        store.refuse = HistoryError("the disk is full")
        for task in (3, 4):
            runner.write(RUN, f"launch {task}\ndone {task}\n")
            await time_passes(15)
        assert running.told()[-2:] == ["launched 4", "finished 4"]
        assert [each for each in running.news if isinstance(each, RecordingProblem)] == [RecordingProblem(store.refuse)]
        store.refuse = None
        runner.write(RUN, "done 2\n")
        await time_passes(15)
        assert running.rows() == [(1, "ok"), (3, "ok"), (4, "ok"), (2, "ok")]
        assert len(running.told()) == 8, "nothing is told twice"


async def test_a_run_that_ends_while_nothing_can_be_kept_is_not_lost(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(2)
        store.refuse = HistoryError("the disk is full")
        runner.write(RUN, "launch 1\ndone 1\n")
        await time_passes(2)
        runner.last.end(0)
        await time_passes(15)
        store.refuse = None
        await time_passes(15)
        assert running.rows() == [(1, "ok")]
        assert store.runs[RUN][1].over


async def test_a_history_that_was_set_aside_is_filled_again_from_the_logs(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(2)
        runner.write(RUN, "launch 1\ndone 1\n")
        await time_passes(2)
        store.refuse = aside = HistorySetAside(Path("/r"), Path("/r.unreadable"), "damaged")
        store.runs, store.kept = {}, []
        runner.write(RUN, "launch 2\ndone 2\n")
        await time_passes(1.5)
        store.refuse = None
        await time_passes(2)
        assert running.rows() == [(1, "ok"), (2, "ok")]
        assert RecordingProblem(aside) in running.news


async def test_old_requests_go_at_the_start_after_every_thousand_and_with_other_limits(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(2)
        assert store.drops == [(5000, pytest.approx(1000 - 10 * 86_400, abs=5))]
        runner.write(RUN, "".join(f"launch {task}\ndone {task}\n" for task in range(1500)))
        await time_passes(2)
        assert len(store.drops) == 2
        running.settings = SETTINGS.replace(requests_keep_rows=2000)
        runner.write(RUN, "launch 1\ndone 1\n")
        await time_passes(2)
        assert [most for most, _oldest in store.drops] == [5000, 5000, 2000]


# -- the audit


def counted(gen_n: int, *, processing: int = 0) -> CountersRead:
    return CountersRead(RUN, Counters(0, 0.0, gen_n, gen_n / 100, processing=processing))


def verdicts(running: Program) -> list[tuple[str, int | None]]:
    return [(each.verdict.value, each.cancelled_n) for each in running.news if isinstance(each, RequestsAudited)]


async def test_requests_that_are_all_that_was_counted_are_complete(program, runner, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\ndone 1 20\nlaunch 2\nrelease 2\n")
        await time_passes(4)
        running.recorder.take_counters(counted(23))
        running.recorder.take_counters(counted(23))
        assert verdicts(running) == [("complete", 3)]
        assert running.recorder.audits.latest[RUN] == running.news[-1]
    async with program() as second:
        await time_passes(1)
        runner.write(RUN, "launch 3\ndone 3 7\n")
        await time_passes(2)
        second.recorder.take_counters(counted(30))
        assert verdicts(second) == [("complete", 3)], "also with what an earlier program saw"


async def test_where_lines_are_not_understood_there_are_rows_from_the_counters(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "another language\n")
        for gen_n in (10, 20, 30):
            running.recorder.take_counters(counted(gen_n))
        running.recorder.take_counters(counted(35, processing=1))
        running.recorder.take_counters(counted(45))
        await time_passes(2)
        assert verdicts(running) == [("checking", None), ("not understood", None)]
        assert [(row.end, row.gen_n) for row in store.rows(RUN)] == [
            (RequestEnd.INTERVAL, 30),
            (RequestEnd.INTERVAL, 15),
        ]


async def test_what_was_kept_before_the_lines_were_wrong_is_not_counted_twice(program, runner, store, config):
    async with program() as running:
        running.supervisor.start(config())
        await time_passes(1)
        runner.write(RUN, "launch 1\ndone 1 20\n")
        await time_passes(2)
        running.recorder.take_counters(counted(50))
        await time_passes(31)
        running.recorder.take_counters(counted(50))
        runner.write(RUN, "launch 2\ndone 2 5\n")
        await time_passes(2)
        running.recorder.take_counters(counted(80))
        await time_passes(2)
        assert verdicts(running)[-1] == ("not understood", None)
        assert [(row.end, row.gen_n) for row in store.rows(RUN)] == [(RequestEnd.OK, 20), (RequestEnd.INTERVAL, 30)]
