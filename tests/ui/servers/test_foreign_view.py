"""The section of the servers that other programs started, as the user sees it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QToolButton, QWidget
from shiboken6 import delete

from gglib_desktop.domain.errors import ConfigurationError, NotRunning, RunnerUnavailable, StopFailed
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.foreign import ForeignWatch
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.servers.foreign import ForeignRow, ForeignViewModel
from gglib_desktop.views.servers.foreign.stop_dialog import StopForeignDialog
from gglib_desktop.views.servers.foreign.view import ForeignView
from tests.fakes.foreign import FakeForeignServers, some_server
from tests.fakes.scripted_runner import ScriptedRunner
from tests.fakes.supervision import KeptBugs
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, child, text


class _NoModels:
    models = ()


@dataclass
class Section:
    window: QWidget
    view: ForeignView
    foreign: FakeForeignServers
    watch: ForeignWatch
    model: ForeignViewModel
    supervisor: Supervisor
    scope: TaskScope
    raised: list[Path]

    async def show(self, *servers) -> None:
        self.foreign.servers[:] = servers
        self.model.look()
        await poll(lambda: [row.server for row in self.model.rows] == list(servers))

    async def change(self, *servers) -> None:
        """As when they are looked for from time to time."""
        self.foreign.servers[:] = servers
        await self.watch.look()
        assert [row.server for row in self.model.rows] == list(servers)

    def click(self, name: str) -> None:
        QTest.mouseClick(child(self.view, QPushButton, name), Qt.MouseButton.LeftButton)

    def texts(self) -> list[str]:
        return [label.text() for label in self.view.findChildren(QLabel) if label.isVisible()]

    async def dialog(self) -> StopForeignDialog:
        def there() -> StopForeignDialog | None:
            return self.window.findChild(StopForeignDialog)

        dialog = await poll(there)
        assert dialog is not None
        return dialog


@pytest.fixture
async def section(qapp) -> AsyncIterator[Section]:
    bugs = KeptBugs()
    runner = ScriptedRunner()
    foreign = FakeForeignServers(runner)
    async with TaskScope(bugs) as scope:
        supervisor = Supervisor(runner, runner, bugs)
        watch = ForeignWatch(foreign, supervisor, cast(Library, _NoModels()), scope)
        raised: list[Path] = []

        def raise_window(data_dir: Path) -> bool:
            raised.append(data_dir)
            return len(raised) == 1

        model = ForeignViewModel(watch, scope, raise_window)
        window = QWidget()
        window.resize(460, 400)
        view = ForeignView(model, window)
        view.resize(460, 200)
        window.show()
        # It begins folded.
        child(view, QToolButton, "foldForeign").click()
        yield Section(window, view, foreign, watch, model, supervisor, scope, raised)
        model.close()
        await supervisor.aclose()
    delete(window)
    assert not bugs.bugs


async def test_it_is_there_only_while_there_is_something_to_show(section):
    assert not section.view.isVisible()
    await section.show(some_server(4711))
    assert section.view.isVisible()
    await section.show()
    assert not section.view.isVisible()


async def test_a_row_says_what_is_known(section):
    orphan = some_server(12, model_path=None, command_line="llama-server -hf a/b", port=None, parent=None)
    await section.show(some_server(4711), orphan)
    assert section.texts() == [
        "Other llama-servers on this computer",
        "theirs.gguf",
        "pid 4711 · port 8080 · RAM 3.0 GiB · started by bash (99)",
        "llama-server -hf a/b",
        "pid 12 · port unknown · RAM 3.0 GiB · its starter is gone",
    ]
    for name in ("adopt", "stop", "ignore"):
        button = child(section.view, QPushButton, f"{name}Foreign4711")
        assert button.text() == name.capitalize()
        assert button.accessibleName() == f"{name.capitalize()} 4711"


async def test_what_another_gglib_desktop_looks_after_is_shown_there(section):
    home = Path("/home/me/other")
    await section.show(some_server(4711, kept_by=home))
    shown = [button.text() for button in section.view.findChildren(QPushButton) if button.isVisible()]
    assert shown == ["Show its window", "Ignore"]
    assert section.texts()[2].endswith("· managed by another GGLib Desktop")
    assert QApplication.focusWidget() is child(section.view, QPushButton, "showKeeperForeign4711")
    section.click("showKeeperForeign4711")
    await poll(lambda: section.raised == [home])
    await poll(child(section.view, QPushButton, "showKeeperForeign4711").isEnabled)
    section.foreign.servers[:] = [some_server(4711)]
    section.click("showKeeperForeign4711")
    await poll(lambda: "The other GGLib Desktop does not answer." in section.texts())
    assert child(section.view, QPushButton, "adoptForeign4711").isVisible(), "it has ended meanwhile"


async def test_what_changes_is_shown_in_the_same_row(section):
    await section.show(some_server(4711))
    button = child(section.view, QPushButton, "adoptForeign4711")
    await section.show(some_server(4711, rss_bytes=2**30))
    assert child(section.view, QPushButton, "adoptForeign4711") is button
    assert "RAM 1.0 GiB" in section.texts()[2]


async def test_many_rows_scroll(section):
    await section.show(*(some_server(pid) for pid in range(1, 4)))
    height = section.view.sizeHint().height()
    await section.show(*(some_server(pid) for pid in range(1, 30)))
    assert section.view.sizeHint().height() == height


async def test_adopt_is_told_to_the_window_and_the_row_goes(section):
    adopted: list[int] = []
    section.model.adopted.connect(adopted.append)
    await section.show(some_server(4711))
    section.click("adoptForeign4711")
    await poll(lambda: adopted)
    assert section.supervisor.server(adopted[0]).config.model_name == "theirs"
    assert not section.view.isVisible()


async def test_a_row_at_work_takes_no_second_click(section):
    await section.show(some_server(4711))
    section.foreign.may_act.clear()
    section.click("adoptForeign4711")
    assert not child(section.view, QPushButton, "adoptForeign4711").isEnabled()
    section.model.adopt(some_server(4711))
    section.foreign.may_act.set()
    await poll(lambda: not section.view.isVisible())
    assert len(section.supervisor.servers) == 1


async def test_ignore_hides_the_row_and_the_menu_brings_it_back(section):
    await section.show(some_server(4711), some_server(4712))
    section.click("ignoreForeign4711")
    assert [row.server.pid for row in section.model.rows] == [4712]
    found: list[bool] = []
    section.model.found.connect(lambda: found.append(True))
    section.model.look()
    await poll(lambda: found)
    assert [row.server.pid for row in section.model.rows] == [4711, 4712]


async def test_asked_for_by_the_menu_the_first_row_gets_the_keyboard(section):
    await section.show(some_server(4711))
    section.window.activateWindow()
    await poll(lambda: isinstance(QApplication.focusWidget(), QPushButton))
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() == "adoptForeign4711"


async def test_none_found_is_said(section):
    said: list[bool] = []
    section.model.noneFound.connect(lambda: said.append(True))
    section.model.look()
    await poll(lambda: said)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConfigurationError("port", 80, "it listens on port 80"), "It listens on port 80."),
        (RunnerUnavailable("process 4711 belongs to another user"), "Process 4711 belongs to another user."),
        (NotRunning("process 4711 is gone"), "This server does not run any more."),
    ],
)
async def test_what_went_wrong_is_said_in_the_section(section, error, shown):
    await section.show(some_server(4711))
    section.foreign.error = error
    section.click("adoptForeign4711")
    await poll(lambda: shown in section.texts())
    assert child(section.view, QPushButton, "adoptForeign4711").isEnabled()
    await section.show()
    assert section.view.isVisible(), "the reason can still be read"
    section.view._forget_problem.timeout.emit()
    assert not section.view.isVisible()


# -- Stop


async def test_stop_asks_first_naming_what_it_is(section):
    await section.show(some_server(4711))
    section.click("stopForeign4711")
    dialog = await section.dialog()
    assert dialog.windowTitle() == "Stop process 4711"
    assert text(dialog, "stopForeignHeading") == "Stop theirs.gguf?"
    consequence = text(dialog, "stopForeignConsequence")
    assert consequence.startswith("Process 4711 was not started by GGLib Desktop. bash (99) started it")
    assert "port 8080" in consequence
    assert_all_named(dialog)
    assert section.foreign.stopped == []
    QTest.mouseClick(child(dialog, QPushButton, "stopForeignStop"), Qt.MouseButton.LeftButton)
    await poll(lambda: section.foreign.stopped)
    assert section.foreign.stopped == [some_server(4711)]
    await poll(lambda: not section.view.isVisible())


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
async def test_enter_and_escape_leave_it_alone(section, key):
    await section.show(some_server(4711))
    section.click("stopForeign4711")
    dialog = await section.dialog()
    QTest.keyClick(dialog, key)
    assert dialog.result() == QDialog.DialogCode.Rejected
    await asyncio.sleep(0)
    assert section.foreign.stopped == []
    assert section.view.isVisible()


async def test_one_that_goes_while_it_is_asked_about_needs_no_stop(section):
    await section.show(some_server(4711))
    section.click("stopForeign4711")
    dialog = await section.dialog()
    await section.show()
    QTest.mouseClick(child(dialog, QPushButton, "stopForeignStop"), Qt.MouseButton.LeftButton)
    await poll(lambda: section.window.findChild(StopForeignDialog) is None)
    assert section.foreign.stopped == []
    assert not section.view.isVisible()


async def test_one_that_survives_is_said_so(section):
    await section.show(some_server(4711))
    section.foreign.error = StopFailed("survived")
    section.click("stopForeign4711")
    dialog = await section.dialog()
    QTest.mouseClick(child(dialog, QPushButton, "stopForeignStop"), Qt.MouseButton.LeftButton)
    await poll(lambda: "The server could not be stopped." in section.texts())


def test_the_question_stays_readable_for_any_server(qtbot):
    command = "llama-server " + "-x " * 500
    server = some_server(1, model_path=None, command_line=command, port=None, parent="another GGLib Desktop (5)")
    dialog = StopForeignDialog(ForeignRow(server))
    qtbot.addWidget(dialog)
    dialog.show()
    assert len(text(dialog, "stopForeignHeading")) < 130
    assert "Another GGLib Desktop (5) started it" in text(dialog, "stopForeignConsequence")
    assert "port" not in text(dialog, "stopForeignConsequence")
    assert dialog.width() < 700


# -- in the window


async def test_the_menu_says_when_there_are_none(desk):
    await desk.open()
    action = desk.window.findChild(QAction, "foreign")
    assert action.text().replace("&", "") == "Other llama-servers"
    action.trigger()
    await poll(lambda: child(desk.window, QLabel, "bannerText").text().startswith("No other llama-server processes"))


# -- height


def fold(section: Section) -> None:
    QTest.mouseClick(child(section.view, QToolButton, "foldForeign"), Qt.MouseButton.LeftButton)


async def test_folded_it_is_one_line_with_the_number(section):
    await section.show(some_server(1), some_server(2), some_server(3))
    tall = section.view.sizeHint().height()
    fold(section)
    assert section.texts() == ["Other llama-servers on this computer (3)"]
    assert section.view.sizeHint().height() < tall / 3
    await section.change(some_server(1))
    assert section.texts() == ["Other llama-servers on this computer (1)"]
    await section.change()
    await section.change(some_server(4))
    assert section.texts() == ["Other llama-servers on this computer (1)"], "for as long as the program runs"
    fold(section)
    assert "theirs.gguf" in section.texts()
    assert section.view.sizeHint().height() < tall


async def test_it_begins_as_one_line_whose_place_is_kept(desk):
    await desk.open()
    view = child(desk.window, ForeignView, "foreignServers")
    assert not view.isVisible()
    servers = child(desk.window, QWidget, "servers")
    height = servers.height()
    desk.app.foreign.rowsChanged.emit((ForeignRow(some_server(1)),))
    await poll(view.isVisible)
    QApplication.processEvents()
    fold = child(view, QToolButton, "foldForeign")
    assert fold.accessibleName() == "Other llama-servers: 1"
    assert not QAccessible.queryAccessibleInterface(fold).state().expanded
    assert servers.height() == height, "nothing moves"


async def test_asked_for_by_the_menu_it_unfolds(section):
    await section.show(some_server(4711))
    fold(section)
    section.model.look()
    await poll(lambda: "theirs.gguf" in section.texts())


async def test_it_keeps_its_height_while_rows_come_and_go(section):
    await section.show(some_server(1), some_server(2))
    height = section.view.sizeHint().height()
    await section.show(some_server(2))
    assert section.view.sizeHint().height() == height
    await section.show(some_server(2), some_server(3))
    assert section.view.sizeHint().height() == height
    await section.show()
    await section.show(some_server(5))
    assert section.view.sizeHint().height() < height


async def test_when_no_new_one_came_it_gives_the_room_back(section):
    (settle,) = [timer for timer in section.view.findChildren(QTimer) if timer.objectName() == "settle"]
    await section.show(some_server(1), some_server(2))
    assert not settle.isActive()
    height = section.view.sizeHint().height()
    await section.show(some_server(2))
    assert settle.isActive()
    settle.setInterval(0)
    await poll(lambda: section.view.sizeHint().height() < height)
    assert not settle.isActive()


async def test_in_a_low_window_it_shows_two_rows(section):
    await section.show(some_server(1), some_server(2))
    two = section.view.sizeHint().height()
    await section.show(some_server(1), some_server(2), some_server(3))
    assert section.view.sizeHint().height() > two
    section.view.fit_into(699)
    assert section.view.sizeHint().height() == two
    section.view.fit_into(700)
    assert section.view.sizeHint().height() > two
