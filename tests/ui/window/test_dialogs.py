"""Dialogs ask without blocking, and answer Enter and Esc as expected."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QPushButton, QWidget
from shiboken6 import delete, isValid

from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.window.about import AboutDialog
from gglib_desktop.views.window.quit import QuitDialog
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, click, text

# -- ask


async def test_ask_gives_the_result_and_deletes_the_dialog(qapp):
    dialog = QDialog()
    asking = asyncio.ensure_future(ask(dialog))
    await poll(dialog.isVisible)
    dialog.accept()
    assert await asking == QDialog.DialogCode.Accepted
    await poll(lambda: not isValid(dialog))


async def test_others_go_on_while_a_dialog_is_open(qapp):
    dialog = QDialog()
    asking = asyncio.ensure_future(ask(dialog))
    for _ in range(5):
        await asyncio.sleep(0)
    assert dialog.isVisible()
    assert not asking.done()
    dialog.reject()
    assert await asking == QDialog.DialogCode.Rejected


async def test_cancelling_the_task_closes_the_dialog(qapp):
    dialog = QDialog()
    asking = asyncio.ensure_future(ask(dialog))
    await poll(dialog.isVisible)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await poll(lambda: not isValid(dialog))


async def test_a_dialog_that_goes_with_its_window_is_answered_with_no(qapp):
    window = QWidget()
    dialog = QDialog(window)
    asking = asyncio.ensure_future(ask(dialog))
    await asyncio.sleep(0)
    delete(window)
    assert await asking == QDialog.DialogCode.Rejected


# -- Quit


@pytest.fixture
def quit_dialog(qtbot) -> QuitDialog:
    dialog = QuitDialog(3)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_quit_says_how_much_runs(qtbot, quit_dialog):
    assert quit_dialog.windowTitle() == "Quit GGLib Desktop"
    assert text(quit_dialog, "quitHeading") == "3 servers are running."
    assert_all_named(quit_dialog)
    single = QuitDialog(1)
    qtbot.addWidget(single)
    assert text(single, "quitHeading") == "One server is running."


def test_quit_has_exactly_the_buttons_that_it_should(quit_dialog):
    names = [found.accessibleName() for found in quit_dialog.findChildren(QPushButton)]
    assert sorted(names) == ["Cancel", "Leave running and quit", "Stop all and quit"]
    assert quit_dialog.findChild(QCheckBox).accessibleName() == "Remember my choice"


@pytest.mark.parametrize("remember", [False, True])
@pytest.mark.parametrize(
    ("name", "choice"), [("quitStopAll", OnQuit.STOP_ALL), ("quitLeaveRunning", OnQuit.LEAVE_RUNNING)]
)
def test_quit_gives_the_choice(qtbot, quit_dialog, name, choice, remember):
    quit_dialog.findChild(QCheckBox).setChecked(remember)
    click(qtbot, quit_dialog, name)
    assert quit_dialog.choice is choice
    assert quit_dialog.remember is remember
    assert quit_dialog.result() == QDialog.DialogCode.Accepted


@pytest.mark.parametrize("way", ["escape", "cancel"])
def test_quit_can_be_called_off_and_remembers_nothing_then(qtbot, quit_dialog, way):
    quit_dialog.findChild(QCheckBox).setChecked(True)
    if way == "escape":
        qtbot.keyClick(quit_dialog, Qt.Key.Key_Escape)
    else:
        click(qtbot, quit_dialog, "quitCancel")
    assert quit_dialog.choice is None
    assert quit_dialog.remember is False
    assert quit_dialog.result() == QDialog.DialogCode.Rejected


def test_enter_in_the_quit_dialog_stops_all(qtbot, quit_dialog):
    qtbot.keyClick(quit_dialog, Qt.Key.Key_Return)
    assert quit_dialog.choice is OnQuit.STOP_ALL


# -- About


def test_about_tells_version_engine_and_place(qtbot):
    dialog = AboutDialog("0.1.0", "/usr/bin/llama-server, version 10434", "/home/a/.local/share/gglib-desktop")
    qtbot.addWidget(dialog)
    dialog.show()
    assert text(dialog, "aboutVersion") == "Version 0.1.0"
    assert text(dialog, "aboutEngine") == "/usr/bin/llama-server, version 10434"
    assert text(dialog, "aboutDataFolder") == "/home/a/.local/share/gglib-desktop"
    assert_all_named(dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()
