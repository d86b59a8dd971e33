"""The page of requests, by the names that scripts and screen readers know."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QPushButton, QTableView, QWidget

from gglib_desktop.adapters.files.text_files import DiskTextFiles
from gglib_desktop.adapters.requests.sqlite_requests import SqliteRequestStore
from gglib_desktop.domain.traffic.audit import Verdict
from gglib_desktop.domain.traffic.requests import RequestEnd, RequestRow, RunFacts
from gglib_desktop.ports.servers.request_store import ReadSoFar, RunNews
from gglib_desktop.services.traffic.news import RequestsAudited
from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
from gglib_desktop.views.servers.requests.page import RequestsPage
from tests.fakes.waiting import poll

RUN = RunFacts("run 2", 7, "Tiny")
ROWS = [
    RequestRow(1000.0, RequestEnd.OK, 1, 0, 205.0, 9, 3, 10.0, 61, 1500.0, 60, 50, 40),
    RequestRow(1001.0, RequestEnd.OK, 2, 0, 410.0, 100, 0, 50.0, 31, 500.0, 30),
    RequestRow(1002.0, RequestEnd.CANCELLED, 3, 0),
]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRequestStore]:
    store = SqliteRequestStore(tmp_path / "requests.sqlite")
    await store.keep([RunNews(RUN, ReadSoFar(1, ""), ROWS, refused=2)])
    yield store
    await store.aclose()


@pytest.fixture
async def page(qtbot, store, scope) -> AsyncIterator[RequestsPage]:
    window = QWidget()
    qtbot.addWidget(window)
    requests = RequestsViewModel(store, DiskTextFiles(), scope, model_id=7, run=RUN.run)
    page = RequestsPage(requests, window)
    page.resize(900, 500)
    window.show()
    await poll(lambda: requests.state.shown == 3 and requests.state.totals is not None)
    yield page
    window.close()


def table(page: RequestsPage) -> list[list[str]]:
    view = page.findChild(QTableView, "requests")
    assert view is not None
    model = view.model()
    return [[model.index(row, column).data() for column in range(10)] for row in range(model.rowCount())]


def label(page: RequestsPage, name: str) -> str:
    found = page.findChild(QLabel, name)
    assert found is not None
    return found.accessibleName()


async def test_columns_and_cells(page):
    view = page.findChild(QTableView, "requests")
    titles = [view.model().headerData(column, Qt.Orientation.Horizontal) for column in range(10)]
    assert titles == [
        "Time", "First token", "Prompt", "Cached", "Generated",
        "Prompt speed", "Speed", "Drafted", "Accepted", "Result",
    ]  # fmt: skip
    assert [row[1:] for row in table(page)] == [
        ["–", "–", "–", "–", "–", "–", "–", "–", "cancelled"],
        ["0.41 s", "100", "0", "31", "2000", "60.0", "–", "–", "ok"],
        ["0.20 s", "9", "3", "61", "900", "40.0", "50", "40", "ok"],
    ]
    assert view.accessibleName() == "Requests"


async def test_counts_and_totals(page):
    assert label(page, "requestCount") == "Shown: 3 of 3 requests"
    assert label(page, "requestTotals") == (
        "Totals: 109 prompt tokens · 3 cached · 92 generated · 40 of 50 drafted tokens accepted"
        " · first token 0.31 s (p95 0.40 s) · prompt 1450 tok/s (p95 1945 tok/s)"
        " · generation 50.0 tok/s (p95 59.0 tok/s) · 2 refused before a slot took them"
    )


async def test_whether_the_log_tells_all(page):
    assert label(page, "requestAudit") == "Log check: checking"
    page._requests.take(RequestsAudited(RUN.run, Verdict.NOT_UNDERSTOOD))
    assert label(page, "requestAudit") == "Log check: not understood"
    page._requests.take(RequestsAudited(RUN.run, Verdict.COMPLETE, 47))
    assert label(page, "requestAudit") == "Log check: complete"
    assert "92 generated · 47 more for cancelled requests of this run · " in label(page, "requestTotals")


async def test_a_result_is_chosen(page):
    page.findChild(QComboBox, "requestResult").setCurrentText("cancelled")
    await poll(lambda: label(page, "requestCount") == "Shown: 1 of 3 requests")
    assert [row[-1] for row in table(page)] == ["cancelled"]


async def test_a_click_on_a_title_sorts(page):
    header = page.findChild(QTableView, "requests").horizontalHeader()
    header.setSortIndicator(6, Qt.SortOrder.DescendingOrder)
    await poll(lambda: [row[6] for row in table(page)] == ["60.0", "40.0", "–"])


async def test_selected_requests_are_copied_else_all(page):
    copy = page.findChild(QPushButton, "copyRequests")
    copy.click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert (len(lines), lines[0].split("\t")[:2]) == (4, ["Time", "First token"])
    page.findChild(QTableView, "requests").selectRow(1)
    copy.click()
    (line,) = QGuiApplication.clipboard().text().splitlines()[1:]
    assert line.split("\t")[4] == "31"


async def test_requests_are_cleared_only_when_asked(page):
    clear = page.findChild(QPushButton, "clearRequests")
    clear.click()
    box = await poll(lambda: page.findChild(QMessageBox, "clearRequestsDialog"))
    box.reject()
    await poll(lambda: page.findChild(QMessageBox, "clearRequestsDialog") is None)
    assert label(page, "requestCount") == "Shown: 3 of 3 requests"
    clear.click()
    box = await poll(lambda: page.findChild(QMessageBox, "clearRequestsDialog"))
    next(button for button in box.buttons() if button.text() == "Clear requests").click()
    await poll(lambda: label(page, "requestCount") == "Shown: 0 of 0 requests")
    assert not clear.isEnabled()


async def test_a_new_run_says_where_the_requests_before_it_are(page):
    hint = page.findChild(QLabel, "requestHint")
    assert not hint.isVisible()
    page._requests.show_run("run 3")
    await poll(hint.isVisible)
    assert "This model" in hint.text()
    page.findChild(QComboBox, "requestScope").setCurrentText("This model")
    await poll(lambda: label(page, "requestCount") == "Shown: 3 of 3 requests")
    assert not hint.isVisible()


async def test_a_page_that_goes_reads_nothing_any_more(page):
    page.hide()
    assert table(page) == []
