"""The requests' part of `make bench`: a table of 100,000, and a server that is asked without end."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import tempfile
from pathlib import Path

from PySide6.QtWidgets import QApplication, QTableView, QWidget

from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.traffic.request_columns import RequestColumn
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.qt_loop import QtEventLoop
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
from gglib_desktop.views.servers.requests.page import RequestsPage
from tests.bench_figures import Figures, Stopwatch
from tests.fakes.waiting import poll

ROWS = 100_000
OPEN_MS, SORT_MS = 200, 100
ROUNDS = 3
RUN = RunFacts("bench", 1, "Bench")


def some_rows(count: int) -> list[RequestRow]:
    chance = random.Random(11)  # not a secret
    return [
        RequestRow(
            started=1_700_000_000.0 + number,
            end=chance.choice((RequestEnd.OK, RequestEnd.OK, RequestEnd.CANCELLED)),
            task=number,
            slot=number % 4,
            ttft_ms=900 * chance.random(),
            prompt_n=chance.randrange(1, 5000),
            cached_n=chance.randrange(100),
            prompt_ms=10 + 900 * chance.random(),
            gen_n=chance.randrange(2, 900),
            gen_ms=100 + 9000 * chance.random(),
            timed_n=chance.randrange(1, 899),
        )
        for number in range(count)
    ]


async def table(figures: Figures, folder: Path) -> None:
    """From the wish to the painted rows, and from the click on a title to the painted order."""
    store = SqliteRequestStore(folder / "requests.sqlite")
    await store.keep([RunNews(RUN, ReadSoFar(), some_rows(ROWS))])
    async with TaskScope(LogReporter()) as scope:
        requests = RequestsViewModel(store, DiskTextFiles(), scope, model_id=RUN.model_id, run=RUN.run)
        window = QWidget()
        page = RequestsPage(requests, window)
        page.resize(1000, 600)
        window.resize(1000, 600)
        view = page.findChild(QTableView)
        assert view is not None
        opens: list[float] = []
        for _round in range(ROUNDS):
            watch = Stopwatch()
            window.show()
            await poll(lambda: requests.state.shown > 0)
            view.viewport().repaint()
            opens.append(watch.seconds())
            await poll(lambda: requests.state.shown == ROWS and requests.state.totals is not None)
            window.hide()
        window.show()
        await poll(lambda: requests.state.shown == ROWS and requests.state.totals is not None)
        sorts: list[float] = []
        for column in (RequestColumn.SPEED, RequestColumn.FIRST_TOKEN, RequestColumn.GENERATED, RequestColumn.TIME):
            watch = Stopwatch()
            await requests.table.order_by(column, descending=True)
            view.viewport().repaint()
            sorts.append(watch.seconds())
        window.close()
    await store.aclose()
    open_ms, sort_ms = 1000 * max(opens), 1000 * max(sorts)
    figures.at_most(OPEN_MS, open_ms, "ms", f"requests: a table of {ROWS} opens in {open_ms:.0f} ms")
    figures.at_most(SORT_MS, sort_ms, "ms", f"requests: a table of {ROWS} sorts in {sort_ms:.0f} ms")


def request_figures() -> list[str]:
    """Prints them all. The lines of those that miss their limit."""
    figures = Figures()
    app = QApplication(["bench"])
    app.setQuitOnLastWindowClosed(False)
    with (
        tempfile.TemporaryDirectory(prefix="gglib-bench-") as folder,
        asyncio.Runner(loop_factory=lambda: QtEventLoop(app)) as runner,
    ):
        os.environ["HOME"] = folder
        # As in the program, where garbage.py collects.
        gc.disable()
        runner.run(table(figures, Path(folder)))
    return figures.missed


if __name__ == "__main__":
    sys.exit("\n".join(request_figures()))
