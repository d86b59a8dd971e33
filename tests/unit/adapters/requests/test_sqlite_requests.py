"""The history of requests keeps rows and how far they were read together, whatever happens to the program."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.errors import HistoryError, HistorySetAside
from gglib_desktop.domain.traffic.audit import Told
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RequestScope, RunNews

EVERYTHING = RequestScope()
RUN = RunFacts("20261130-100000-tiny-0a1b2c3d", 7, "Tiny", "b10434", 3, 0.75, "b10434 4 threads")
OTHER = RunFacts("20261130-110000-phi-0a1b2c3d", 8, "Phi")
FULL_ROW = RequestRow(1000.5, RequestEnd.CANCELLED, 4, 1, 12.5, 9, 3, 6.5, 60, 66.0, 59, 55, 39, 2)


@pytest.fixture
def file(data_dir: Path) -> Path:
    return data_dir / "requests.sqlite"


@pytest.fixture
async def store(file) -> AsyncIterator[SqliteRequestStore]:
    store = SqliteRequestStore(file)
    yield store
    await store.aclose()


def rows(first: int, count: int, *, started: float = 0.0) -> list[RequestRow]:
    return [RequestRow(started + task, RequestEnd.OK, task) for task in range(first, first + count)]


async def tasks(store: SqliteRequestStore, scope: RequestScope = EVERYTHING) -> list[int | None]:
    return [kept.row.task for kept in (await store.history(scope)).requests]


async def test_what_is_kept_is_found_again_as_it_was(store, file):
    assert await store.read_so_far(RUN.run) is None
    read = ReadSoFar(900, "state", told=Told(cancelled=1).plus([FULL_ROW]))
    await store.keep([RunNews(RUN, read, [FULL_ROW], refused=2)])
    await store.aclose()
    store.__init__(file)
    assert await store.read_so_far(RUN.run) == read
    history = await store.history(EVERYTHING)
    assert [(kept.run, kept.row) for kept in history.requests] == [(RUN, FULL_ROW)]
    assert history.refused == 2


async def test_a_run_is_unfinished_until_it_is_over_and_may_be_known_better_later(store):
    begun = RunFacts(RUN.run, 7, "Tiny")
    await store.keep([RunNews(begun, ReadSoFar()), RunNews(OTHER, ReadSoFar(5, "s"))])
    await store.keep([RunNews(RUN, ReadSoFar(10, "t"), rows(1, 1), 1), RunNews(OTHER, ReadSoFar(9, over=True), (), 3)])
    assert list(await store.unfinished()) == [(RUN, ReadSoFar(10, "t"))]
    assert await store.read_so_far(OTHER.run) == ReadSoFar(9, "", over=True)
    history = await store.history(EVERYTHING)
    assert ([kept.run for kept in history.requests], history.refused) == ([RUN], 4)


async def test_a_history_is_of_a_run_or_a_model_or_all_and_comes_in_parts(store):
    again = RunFacts("20261130-120000-tiny-0a1b2c3d", 7, "Tiny")
    news = [RunNews(run, ReadSoFar(), rows(10 * index, 3), 1) for index, run in enumerate((RUN, OTHER, again))]
    await store.keep(news)
    assert await tasks(store) == [22, 21, 20, 12, 11, 10, 2, 1, 0]
    assert await tasks(store, RequestScope(run=RUN.run, model_id=8)) == [2, 1, 0]
    assert await tasks(store, RequestScope(model_id=7)) == [22, 21, 20, 2, 1, 0]
    assert (await store.history(RequestScope(model_id=7))).refused == 2
    newest = (await store.history(EVERYTHING, most=2)).requests
    assert [kept.row.task for kept in newest] == [22, 21]
    rest = (await store.history(EVERYTHING, after=4, before=newest[-1].number)).requests
    assert [kept.row.task for kept in rest] == [20, 12, 11]


async def test_clearing_forgets_requests_but_not_how_far_logs_were_read(store):
    news = [RunNews(RUN, ReadSoFar(9, "s"), rows(0, 2), 5), RunNews(OTHER, ReadSoFar(), rows(5, 1), 1)]
    await store.keep(news)
    last = (await store.history(EVERYTHING)).requests[0].number
    await store.clear(RequestScope(model_id=7))
    history = await store.history(EVERYTHING)
    assert ([kept.row.task for kept in history.requests], history.refused) == ([5], 1)
    assert await store.read_so_far(RUN.run) == ReadSoFar(9, "s")
    await store.clear(EVERYTHING)
    await store.keep([RunNews(RUN, ReadSoFar(10), rows(7, 1))])
    assert [kept.row.task for kept in (await store.history(EVERYTHING, after=last)).requests] == [7]


async def test_old_requests_go_by_age_and_by_number(store):
    await store.keep([RunNews(RUN, ReadSoFar(over=True), rows(0, 10, started=100))])
    await store.keep([RunNews(OTHER, ReadSoFar(), rows(50, 5, started=100))])
    await store.drop_old(most_rows=1000, oldest=104)
    assert await tasks(store, RequestScope(run=RUN.run)) == [9, 8, 7, 6, 5, 4]
    await store.drop_old(most_rows=7, oldest=104)
    assert await tasks(store) == [54, 53, 52, 51, 50, 9, 8]
    await store.drop_old(most_rows=7, oldest=2e9)
    assert await tasks(store) == []
    assert await store.read_so_far(OTHER.run) is not None, "its log is still read"


# -- what may go wrong with the file


async def test_a_damaged_file_is_set_aside_and_said_once(store, file):
    await store.keep([RunNews(RUN, ReadSoFar(), rows(0, 2000))])
    await store.aclose()
    file.write_bytes(file.read_bytes()[:8192] + bytes(file.stat().st_size - 8192))
    store.__init__(file)
    with pytest.raises(HistorySetAside) as caught:
        await store.keep([RunNews(RUN, ReadSoFar(), rows(0, 2000))])
    assert caught.value.kept == file.with_name("requests.sqlite.unreadable")
    await store.keep([RunNews(RUN, ReadSoFar(), rows(0, 1))])
    assert await tasks(store) == [0]


async def test_a_full_disk_is_said_and_nothing_is_kept_by_half(store, file):
    await store.keep([RunNews(RUN, ReadSoFar(1, "before"), rows(0, 1))])
    await store._file.use(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(HistoryError, match="full"):
        await store.keep([RunNews(RUN, ReadSoFar(2, "after"), rows(1, 2000))])
    assert await store.read_so_far(RUN.run) == ReadSoFar(1, "before")
    assert await tasks(store) == [0]
    await store._file.use(lambda connection: connection.execute("PRAGMA max_page_count = 100000"))
    await store.keep([RunNews(RUN, ReadSoFar(2, "after"), rows(1, 2000))])
    assert len(await tasks(store)) == 2001


async def test_it_is_for_its_user_alone(store, file):
    before = os.umask(0)
    try:
        await store.keep([RunNews(RUN, ReadSoFar(), rows(0, 1))])
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
    assert modes == {f"requests.sqlite{ending}": 0o600 for ending in ("", "-wal", "-shm")}


# -- death

_WRITER = """
import asyncio, sys
from pathlib import Path
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews

async def main():
    store = SqliteRequestStore(Path(sys.argv[1]))
    run = RunFacts("run", 1, "Tiny")
    read = await store.read_so_far("run") or ReadSoFar()
    while True:
        rows = [RequestRow(0.0, RequestEnd.OK, read.offset + each) for each in range(5)]
        read = ReadSoFar(read.offset + 5, str(read.offset + 5))
        await store.keep([RunNews(run, read, rows)])
        print(read.offset, flush=True)

asyncio.run(main())
"""


def last_word_of_a_killed_writer(file: Path, lines: int) -> int:
    """The offset that a program said it had kept, before it was killed in the middle of the next ones."""
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(lines)]
    os.kill(writer.pid, signal.SIGKILL)
    said += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    return int([line for line in said if line.endswith("\n")][-1])


async def test_a_kill_neither_doubles_nor_loses_a_row(store, file):
    for lines in (1, 7, 30):
        said = await asyncio.to_thread(last_word_of_a_killed_writer, file, lines)
        read = await store.read_so_far("run")
        assert read is not None
        assert read.offset >= said
        assert read.state == str(read.offset)
        assert await tasks(store) == list(range(read.offset - 1, -1, -1))
    assert integrity(file) == [("ok",)]


def integrity(file: Path) -> Sequence[object]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall()
