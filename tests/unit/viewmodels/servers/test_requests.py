"""The page of requests: what is read, in which order, how it is narrowed, and what leaves it."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPersistentModelIndex
from PySide6.QtTest import QSignalSpy

from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.request_columns import RequestColumn
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.services.traffic.news import RequestsAudited, RequestsKept
from gglib_desktop.viewmodels.servers.request_table import RequestRole
from gglib_desktop.viewmodels.servers.requests import RequestFormat, RequestsViewModel
from tests.fakes.waiting import poll, tasks_done

RUN, BEFORE, OTHER = RunFacts("run 2", 7, "Tiny"), RunFacts("run 1", 7, "Tiny"), RunFacts("run 3", 8, "Phi")
MANY = 12_345


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRequestStore]:
    store = SqliteRequestStore(tmp_path / "requests.sqlite")
    yield store
    await store.aclose()


@pytest.fixture
def requests(store, scope) -> RequestsViewModel:
    return RequestsViewModel(store, DiskTextFiles(), scope, model_id=7, run="run 2")


def rows(count: int, *, first: int = 0, end: RequestEnd = RequestEnd.OK) -> list[RequestRow]:
    """The speed falls from one to the next, and starts again after each hundred."""
    return [
        RequestRow(1000.0 + task, end, task, 0, 5.0, 10, 0, 10.0, 11, 100.0 + task % 100, 10)
        for task in range(first, first + count)
    ]


async def keep(store: SqliteRequestStore, run: RunFacts, some: Sequence[RequestRow], refused: int = 0) -> None:
    await store.keep([RunNews(run, ReadSoFar(1, ""), some, refused)])


async def shown(requests: RequestsViewModel, count: int) -> None:
    requests.set_shown(True)
    await poll(lambda: requests.state.shown == count and requests.state.totals is not None)


def tasks(requests: RequestsViewModel) -> list[int | None]:
    table = requests.table
    return [table.index(row, 0).data(RequestRole).row.task for row in range(table.rowCount())]


async def test_the_newest_request_is_first_and_others_servers_are_left_out(store, requests):
    await keep(store, RUN, rows(3), refused=2)
    await keep(store, BEFORE, rows(4, first=10), refused=1)
    await keep(store, OTHER, rows(5))
    await shown(requests, 3)
    assert tasks(requests) == [2, 1, 0]
    assert (requests.state.total, requests.state.refused) == (3, 2)
    assert requests.state.totals.gen_n == 33
    requests.choose_scope(of_model=True)
    await poll(lambda: requests.state.shown == 7)
    assert requests.state.refused == 3


async def test_many_requests_come_in_pieces_and_none_is_missing(store, requests):
    await keep(store, RUN, rows(MANY))
    spy = QSignalSpy(requests.stateChanged)
    await shown(requests, MANY)
    assert tasks(requests) == list(range(MANY))[::-1]
    assert requests.state.totals.requests == MANY
    # The first ones were shown before the others were read.
    assert 0 < spy.at(0)[0].shown < MANY or spy.at(1)[0].shown < MANY


async def test_any_column_is_an_order_and_a_selection_stays_with_its_request(store, requests):
    await keep(store, RUN, rows(MANY))
    await shown(requests, MANY)
    kept = QPersistentModelIndex(requests.table.index(0, 3))
    requests.sort(RequestColumn.SPEED, descending=True)
    await poll(lambda: requests.table.requests[0].row.gen_ms == 100.0)
    speeds = [each.row.speed for each in requests.table.requests]
    assert speeds == sorted(speeds, reverse=True)
    assert len(speeds) == MANY
    assert kept.data(RequestRole).row.task == MANY - 1
    assert kept.column() == 3


async def test_of_many_with_the_same_result_each_stays_selected_while_it_is_shown(store, requests):
    ended = rows(3) + rows(3, first=3, end=RequestEnd.CANCELLED) + rows(3, first=6)
    await keep(store, RUN, ended)
    await shown(requests, 9)
    kept = [QPersistentModelIndex(requests.table.index(row, 0)) for row in range(9)]
    requests.sort(RequestColumn.RESULT, descending=False)
    await poll(lambda: tasks(requests) == [8, 7, 6, 2, 1, 0, 5, 4, 3])
    assert [index.data(RequestRole).row.task for index in kept] == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    requests.choose_result(RequestEnd.CANCELLED)
    await poll(lambda: tasks(requests) == [5, 4, 3])
    assert [index.row() for index in kept if index.isValid()] == [0, 1, 2]


async def test_the_last_of_two_orders_counts(store, requests):
    await keep(store, RUN, rows(MANY))
    await shown(requests, MANY)
    requests.sort(RequestColumn.SPEED, descending=True)
    requests.sort(RequestColumn.TIME, descending=False)
    await poll(lambda: tasks(requests) == list(range(MANY)))


async def test_a_result_narrows_the_requests_and_their_totals(store, requests):
    await keep(store, RUN, rows(3) + rows(2, first=3, end=RequestEnd.CANCELLED))
    await shown(requests, 5)
    requests.choose_result(RequestEnd.CANCELLED)
    await poll(lambda: requests.state.shown == 2)
    assert (requests.state.total, requests.state.totals.cancelled) == (5, 2)
    requests.choose_result(None)
    await poll(lambda: requests.state.shown == 5)


async def test_new_requests_come_to_their_place(store, requests):
    await keep(store, RUN, rows(3))
    await shown(requests, 3)
    requests.sort(RequestColumn.TIME, descending=False)
    await poll(lambda: tasks(requests) == [0, 1, 2])
    await keep(store, RUN, [*rows(2, first=3), RequestRow(1000.5, RequestEnd.CANCELLED, 9)], refused=1)
    requests.take(RequestsKept(frozenset({"run 2"})))
    await poll(lambda: requests.state.shown == 6)
    assert tasks(requests) == [0, 9, 1, 2, 3, 4]
    assert (requests.state.totals.gen_n, requests.state.refused) == (55, 1)


async def test_a_new_request_with_another_result_is_only_counted(store, requests):
    await keep(store, RUN, rows(1))
    await shown(requests, 1)
    requests.choose_result(RequestEnd.OK)
    await keep(store, RUN, [RequestRow(2000.0, RequestEnd.CANCELLED, 9)])
    requests.take(RequestsKept(frozenset({"run 2"})))
    await poll(lambda: requests.state.total == 2)
    assert (requests.state.shown, requests.state.totals.requests) == (1, 1)


async def test_a_hidden_page_keeps_nothing_and_reads_nothing(store, requests):
    await keep(store, RUN, rows(3))
    await shown(requests, 3)
    requests.set_shown(False)
    assert (requests.table.rowCount(), requests.state.totals) == (0, None)
    requests.take(RequestsKept(frozenset({"run 2"})))
    assert not requests.is_shown


async def test_a_new_run_replaces_the_one_before(store, requests):
    await keep(store, RUN, rows(3))
    await shown(requests, 3)
    await keep(store, RunFacts("run 4", 7, "Tiny"), rows(1, first=50))
    requests.show_run("run 4")
    await poll(lambda: tasks(requests) == [50])


async def test_a_run_without_requests_points_to_those_of_other_runs(store, requests):
    await keep(store, OTHER, rows(1))
    await shown(requests, 0)
    await tasks_done("read requests")
    assert not requests.state.has_others, "they are another model's"
    await keep(store, BEFORE, rows(2))
    requests.show_run("run 4")
    await poll(lambda: requests.state.has_others)
    requests.choose_scope(of_model=True)
    await poll(lambda: requests.state.shown == 2)
    assert not requests.state.has_others
    requests.choose_scope(of_model=False)
    await poll(lambda: requests.state.has_others)
    await keep(store, RunFacts("run 4", 7, "Tiny"), rows(1))
    requests.take(RequestsKept(frozenset({"run 4"})))
    await poll(lambda: requests.state.total == 1)
    assert not requests.state.has_others


async def test_the_audit_is_that_of_the_newest_run(requests):
    requests.take(RequestsAudited("run 2", Verdict.COMPLETE))
    requests.take(RequestsAudited("run 1", Verdict.NOT_UNDERSTOOD))
    before = requests.state.audit
    requests.show_run("run 4")
    assert (before, requests.state.audit) == (Verdict.COMPLETE, Verdict.CHECKING)


async def test_news_of_other_runs_are_not_read(store, requests):
    await keep(store, RUN, rows(1))
    await shown(requests, 1)
    await tasks_done("read requests")
    await keep(store, RUN, rows(1, first=1))
    requests.take(RequestsKept(frozenset({"run 3"})))
    await tasks_done("read requests")
    assert requests.state.total == 1
    requests.take(RequestsKept(frozenset({"run 2"})))
    await poll(lambda: requests.state.total == 2)


async def test_what_is_shown_is_exported_in_its_order(store, requests, tmp_path):
    await keep(store, RUN, rows(3) + rows(1, first=3, end=RequestEnd.CANCELLED))
    await shown(requests, 4)
    requests.choose_result(RequestEnd.OK)
    await poll(lambda: requests.state.shown == 3)
    spy = QSignalSpy(requests.exported)
    requests.export(tmp_path / "requests.json", RequestFormat.JSON)
    await poll(lambda: spy.count() == 1)
    assert [record["task"] for record in json.loads((tmp_path / "requests.json").read_text())] == [2, 1, 0]
    requests.export(tmp_path / "requests.csv", RequestFormat.CSV)
    await poll(lambda: spy.count() == 2)
    assert (tmp_path / "requests.csv").read_text().splitlines()[1].startswith("1002.0,run 2,Tiny,2,")


async def test_a_file_that_cannot_be_written_is_told(store, requests, tmp_path):
    await keep(store, RUN, rows(1))
    await shown(requests, 1)
    spy = QSignalSpy(requests.failed)
    requests.export(tmp_path / "missing" / "requests.csv", RequestFormat.CSV)
    await poll(lambda: spy.count() == 1)
    assert isinstance(spy.at(0)[0], GglibError)


async def test_requests_of_the_scope_are_forgotten(store, requests):
    await keep(store, RUN, rows(3), refused=2)
    await keep(store, OTHER, rows(1))
    await shown(requests, 3)
    requests.clear()
    await poll(lambda: requests.state.total == 0 and requests.state.totals is not None)
    assert requests.state.refused == 0
    assert (await store.read_so_far(RUN.run)) == ReadSoFar(1, "")


async def test_an_engine_that_tells_of_no_requests_is_not_waited_for(scope, store):
    told = [False]
    requests = RequestsViewModel(store, DiskTextFiles(), scope, model_id=7, run="run 2", tells=lambda: told[0])
    said = [requests.state.audit]
    told[0] = True
    requests.show_run("run 3")
    said.append(requests.state.audit)
    assert said == [Verdict.NOT_TOLD, Verdict.CHECKING]
