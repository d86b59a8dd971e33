"""A log on screen: it follows the end unless the user reads further up; its lines are searched, filtered and copied."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QScrollBar,
    QTableView,
    QToolButton,
    QWidget,
)
from shiboken6 import delete

from gglib_desktop.domain.llama_cpp.log_levels import level_of
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.log import LogViewModel
from gglib_desktop.viewmodels.servers.log_table import MOST_LINES
from gglib_desktop.views.servers.log.view import LogView
from tests.fakes.growing_log import GrowingLogs
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, child


@pytest.fixture
def logs() -> GrowingLogs:
    return GrowingLogs(run=b"".join(b"line %d\n" % number for number in range(200)))


@pytest.fixture
async def view(qapp, logs, bugs) -> AsyncIterator[LogView]:
    async with TaskScope(bugs) as scope:
        log = LogViewModel(scope, logs.read, level_of)
        log.show_log("run")
        view = LogView(log)
        view.resize(500, 300)
        view.show()
        await poll(lambda: table(view).model().rowCount() == 200)
        yield view
        # By hand: qtbot would have it deleted before or after this, as it happens.
        view.hide()
        delete(view)


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


async def test_it_fits_a_narrow_panel(view):
    assert view.minimumSizeHint().width() <= 440


async def test_every_control_is_named(view):
    assert_all_named(view)
    for name in ("logPrevious", "logNext"):
        assert view.findChild(QToolButton, name).accessibleName()
    assert view.findChild(QLineEdit, "logSearch").accessibleName() == "Search log"
    assert table(view).accessibleName() == "Log lines"


async def test_lines_of_any_width_can_be_read(view, logs):
    assert table(view).horizontalScrollBar().maximum() == 0
    logs.write("run", b"x" * 1000 + b"\n")
    await rows(view, 201)
    await poll(lambda: table(view).horizontalScrollBar().maximum() > 1000)


# -- searching


def search(view: QWidget) -> QLineEdit:
    return child(view, QLineEdit, "logSearch")


def matches(view: QWidget) -> str:
    return child(view, QLabel, "logMatches").text()


def current_line(view: QWidget) -> str:
    return str(table(view).currentIndex().data())


async def test_searching_goes_from_match_to_match(view, qtbot):
    bar(view).setValue(0)
    qtbot.keyClicks(search(view), "LINE 19")
    assert (current_line(view), matches(view)) == ("line 19", "1 of 11")
    assert table(view).visualRect(table(view).currentIndex()).top() >= 0
    qtbot.keyClick(search(view), Qt.Key.Key_Return)
    assert (current_line(view), matches(view)) == ("line 190", "2 of 11")
    assert not child(view, QCheckBox, "followLog").isChecked()
    qtbot.keyClick(search(view), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(search(view), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert (current_line(view), matches(view)) == ("line 199", "11 of 11")
    assert child(view, QCheckBox, "followLog").isChecked(), "the end is in view again"
    qtbot.mouseClick(child(view, QToolButton, "logNext"), Qt.MouseButton.LeftButton)
    assert current_line(view) == "line 19"
    qtbot.mouseClick(child(view, QToolButton, "logPrevious"), Qt.MouseButton.LeftButton)
    assert current_line(view) == "line 199"


async def test_the_count_keeps_up_and_says_when_there_is_nothing(view, logs, qtbot):
    assert matches(view) == ""
    assert not child(view, QToolButton, "logNext").isEnabled()
    qtbot.keyClicks(search(view), "fresh")
    assert matches(view) == "No match"
    logs.write("run", b"fresh\nand fresh\n")
    await poll(lambda: matches(view) == "2 found")
    assert child(view, QToolButton, "logNext").isEnabled()


async def test_keys_find_and_clear_within_the_log_alone(view, qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window_find = QAction("Find model", window)
    window_find.setShortcut(QKeySequence("Ctrl+F"))
    window.addAction(window_find)
    asked = QSignalSpy(window_find.triggered)
    window.setCentralWidget(view)
    window.show()
    window.activateWindow()
    table(view).setFocus()
    await poll(table(view).hasFocus)
    qtbot.keyClick(table(view), Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert search(view).hasFocus()
    assert not asked.count()
    qtbot.keyClicks(search(view), "line 7")
    qtbot.keyClick(search(view), Qt.Key.Key_F3)
    assert matches(view) == "2 of 11"
    qtbot.keyClick(search(view), Qt.Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
    assert matches(view) == "1 of 11"
    qtbot.keyClick(search(view), Qt.Key.Key_Escape)
    assert search(view).text() == matches(view) == ""
    view.setParent(None)


async def test_typing_in_the_lines_searches_nothing(view, qtbot):
    table(view).selectRow(3)
    qtbot.keyClicks(table(view), "line 150")
    assert current_line(view) == "line 3"


async def test_matches_are_marked(view, logs, qtbot):
    def marked() -> int:
        picture = table(view).viewport().grab().toImage()
        colours = [picture.pixelColor(x, y).name() for x in range(0, 200, 2) for y in range(0, picture.height(), 2)]
        return sum(colour in {"#ffe58a", "#574600", "#ffd84d"} for colour in colours)

    assert not marked()
    qtbot.keyClicks(search(view), "line")
    assert marked()


# -- levels


def lines(view: QWidget) -> list[str]:
    model = table(view).model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


async def test_less_serious_lines_can_be_hidden(view, logs):
    level = child(view, QComboBox, "logLevel")
    logs.write("run", b"0.00.000.001 W careful\n0.00.000.002 E broken\n  for this reason\n0.00.000.003 I fine\n")
    await rows(view, 204)
    level.setCurrentIndex(2)
    assert lines(view) == ["0.00.000.002 E broken", "  for this reason"]
    level.setCurrentIndex(1)
    assert lines(view)[0] == "0.00.000.001 W careful"
    table(view).selectRow(1)
    level.setCurrentIndex(0)
    assert len(lines(view)) == 204
    assert current_line(view) == "0.00.000.002 E broken", "the selected line is shown among its neighbours"
    await poll(lambda: last_line_is_visible(view))
    assert child(view, QCheckBox, "followLog").isChecked()


async def test_a_filter_keeps_the_readers_place(view, logs):
    logs.write("run", b"".join(b"0.00.000.001 %s number %d\n" % (b"EI"[n % 2 :][:1], n) for n in range(400)))
    await rows(view, 600)
    bar(view).setValue(300)
    place = lines(view)[300]
    level = child(view, QComboBox, "logLevel")
    level.setCurrentIndex(2)
    shown = [lines(view)[row] for row in range(bar(view).value(), bar(view).value() + 8)]
    assert place in shown
    assert not child(view, QCheckBox, "followLog").isChecked()


async def test_errors_and_warnings_have_their_colours(view, logs):
    def colours() -> set[str]:
        picture = table(view).viewport().grab().toImage()
        area = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
        return {picture.pixelColor(x, y).name() for x, y in area}

    before = colours()
    logs.write("run", b"0.00.000.001 E broken\n0.00.000.001 W careful\n")
    await rows(view, 202)
    await poll(lambda: last_line_is_visible(view))
    new = colours() - before
    assert any(name in new for name in ("#ae1c1c", "#ff9a92"))
    assert any(name in new for name in ("#7d4d00", "#f2bd4b"))


# -- when old lines go


async def test_a_reader_further_up_keeps_the_lines_while_old_ones_go(qtbot, bugs):
    logs = GrowingLogs(run=b"".join(b"line %d\n" % number for number in range(MOST_LINES)))
    async with TaskScope(bugs) as scope:
        log = LogViewModel(scope, logs.read, level_of)
        log.show_log("run")
        view = LogView(log)
        qtbot.addWidget(view)
        view.show()
        await rows(view, MOST_LINES)
        await poll(lambda: last_line_is_visible(view))
        bar(view).setValue(MOST_LINES - 500)
        assert not child(view, QCheckBox, "followLog").isChecked()
        first = lines(view)[table(view).rowAt(0)]
        logs.write("run", b"more\n" * 2000)
        await poll(lambda: log.table.line(MOST_LINES - 1) == "more")
        assert log.table.line(table(view).rowAt(0)) == first
        assert not child(view, QCheckBox, "followLog").isChecked()
        view.hide()


# -- saving


async def test_without_a_home_folder_the_log_is_saved_elsewhere(view, qtbot, homeless):
    qtbot.mouseClick(child(view, QPushButton, "saveLog"), Qt.MouseButton.LeftButton)
    dialog = child(view, QFileDialog, "saveLogDialog")
    assert dialog.directory().exists()
    dialog.reject()
    await poll(lambda: view.findChild(QFileDialog) is None)


async def test_the_log_file_is_saved_where_people_say(view, logs, qtbot, tmp_path):
    qtbot.mouseClick(child(view, QPushButton, "saveLog"), Qt.MouseButton.LeftButton)
    dialog = child(view, QFileDialog, "saveLogDialog")
    assert dialog.isVisible()
    assert dialog.selectedFiles()[0].endswith("/run.log")
    dialog.selectFile(str(tmp_path / "mine.log"))
    dialog.accept()
    await poll((tmp_path / "mine.log").exists)
    assert (tmp_path / "mine.log").read_bytes() == logs.logs["run"]
    notice = child(view, QLabel, "logNotice")
    await poll(notice.isVisible)
    assert notice.text() == f"Saved as {tmp_path / 'mine.log'}"
    await poll(lambda: view.findChild(QFileDialog) is None)


async def test_what_went_wrong_while_saving_is_said(view, tmp_path):
    view._log.saving.save(tmp_path / "nowhere" / "mine.log")
    notice = child(view, QLabel, "logNotice")
    await poll(notice.isVisible)
    assert notice.text() == notice.accessibleName() == "The log could not be saved: No such file or directory"


async def test_without_a_run_there_is_nothing_to_save(qtbot, bugs):
    async with TaskScope(bugs) as scope:
        log = LogViewModel(scope, GrowingLogs().read, level_of)
        view = LogView(log)
        qtbot.addWidget(view)
        assert not child(view, QPushButton, "saveLog").isEnabled()
        log.show_log("run")
        assert child(view, QPushButton, "saveLog").isEnabled()
