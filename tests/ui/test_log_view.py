"""A log on screen: it follows the end unless somebody reads further up, and its lines can be copied."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QScrollBar, QTableView, QWidget

from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.log import LogViewModel
from gglib_desktop.views.log_view import LogView
from tests.fakes.growing_log import GrowingLogs
from tests.fakes.waiting import poll


@pytest.fixture
def logs() -> GrowingLogs:
    return GrowingLogs(run=b"".join(b"line %d\n" % number for number in range(200)))


@pytest.fixture
async def view(qtbot, logs, bugs) -> AsyncIterator[LogView]:
    async with TaskScope(bugs) as scope:
        log = LogViewModel(scope, logs.read)
        log.show_log("run")
        view = LogView(log)
        qtbot.addWidget(view)
        view.resize(500, 300)
        view.show()
        await poll(lambda: table(view).model().rowCount() == 200)
        yield view
        view.hide()


def table(view: QWidget) -> QTableView:
    found = view.findChild(QTableView, "log")
    assert found is not None
    return found


def bar(view: QWidget) -> QScrollBar:
    return table(view).verticalScrollBar()


def last_line_is_visible(view: QWidget) -> bool:
    model = table(view).model()
    return table(view).visualRect(model.index(model.rowCount() - 1, 0)).top() < table(view).viewport().height()


async def rows(view: QWidget, count: int) -> None:
    await poll(lambda: table(view).model().rowCount() == count)


async def test_it_shows_the_end_and_follows_it(view, logs):
    assert last_line_is_visible(view)
    logs.write("run", b"one more\n" * 50)
    await rows(view, 250)
    await poll(lambda: last_line_is_visible(view))


async def test_reading_further_up_is_not_disturbed(view, logs):
    bar(view).setSliderPosition(10)
    bar(view).triggerAction(QScrollBar.SliderAction.SliderSingleStepSub)
    follow = view.findChild(QCheckBox, "followLog")
    assert not follow.isChecked()
    place = bar(view).value()
    logs.write("run", b"one more\n" * 50)
    await rows(view, 250)
    assert bar(view).value() == place
    follow.setChecked(True)
    await poll(lambda: last_line_is_visible(view))


async def test_scrolling_to_the_end_follows_again(view, logs):
    bar(view).triggerAction(QScrollBar.SliderAction.SliderToMinimum)
    assert not view.findChild(QCheckBox, "followLog").isChecked()
    bar(view).triggerAction(QScrollBar.SliderAction.SliderToMaximum)
    assert view.findChild(QCheckBox, "followLog").isChecked()


async def test_what_nobody_sees_is_not_read(view, logs):
    view.hide()
    logs.write("run", b"one more\n")
    reads = logs.reads
    view.show()
    await rows(view, 201)
    view.hide()
    assert logs.reads > reads
    # A read that was under way may still end; after that there is none.
    await poll(lambda: view._log._following is None)


async def test_all_or_the_selected_lines_are_copied(view, qtbot):
    copy = view.findChild(QWidget, "copyLog")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().splitlines() == [f"line {number}" for number in range(200)]
    table(view).selectRow(3)
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().strip() == "line 3"


async def test_the_keys_copy_too(view, qtbot):
    table(view).selectRow(5)
    table(view).setFocus()
    view.activateWindow()
    await poll(table(view).hasFocus)
    qtbot.keyClick(table(view), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text().strip() == "line 5"


async def test_many_lines_have_rows_of_one_height(view, logs):
    logs.write("run", b"x" * 300 + b"\n")
    logs.write("run", "größer — 日本語\n".encode())
    await rows(view, 202)
    heights = {table(view).rowHeight(row) for row in range(202)}
    assert len(heights) == 1
