"""Dialogs ask without blocking, and answer Enter and Esc as expected."""

import asyncio
import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QPushButton, QWidget
from shiboken6 import delete, isValid

from gglib_desktop import __version__
from gglib_desktop.domain.documents.settings import OnQuit
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.window.about import AboutDialog
from gglib_desktop.views.window.diagnostics import diagnostics
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
    dialog = QuitDialog(3, ["Tiny", "Tiny (2)", "Phi 4 Mini"])
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_quit_says_how_much_runs(qtbot, quit_dialog):
    assert quit_dialog.windowTitle() == "Quit GGLib Desktop"
    assert text(quit_dialog, "quitHeading") == "3 servers are running."
    assert text(quit_dialog, "quitServers") == "Tiny, Tiny (2), Phi 4 Mini"
    assert_all_named(quit_dialog)
    single = QuitDialog(1)
    qtbot.addWidget(single)
    assert text(single, "quitHeading") == "One server is running."


def test_quit_names_only_some_of_very_many_servers(qtbot):
    dialog = QuitDialog(12, [f"Model {number}" for number in range(12)])
    qtbot.addWidget(dialog)
    assert text(dialog, "quitServers").endswith("Model 6 and 5 more")


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


def test_enter_in_the_quit_dialog_stops_nothing(qtbot, quit_dialog):
    qtbot.keyClick(quit_dialog, Qt.Key.Key_Return)
    assert quit_dialog.choice is OnQuit.LEAVE_RUNNING


# -- About


def test_about_tells_version_engine_and_place(qtbot):
    engine, folder = "/usr/bin/llama-server, version 10434", "/home/a/.local/share/gglib-desktop"
    dialog = AboutDialog("0.1.0", engine, folder, "all that matters")
    qtbot.addWidget(dialog)
    dialog.show()
    assert text(dialog, "aboutVersion") == "Version 0.1.0"
    assert text(dialog, "aboutEngine") == engine
    assert text(dialog, "aboutDataFolder") == folder
    assert text(dialog, "aboutLicense") == "MIT License"
    click(qtbot, dialog, "copyDiagnostics")
    assert QApplication.clipboard().text() == "all that matters"
    assert_all_named(dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()


async def test_diagnostics_tell_the_versions_and_no_secret(desk):
    await desk.open()
    await desk.add("Secret project")
    report = diagnostics(desk.app, Path.home() / "data")
    assert f"GGLib Desktop {__version__}" in report
    assert "Engine: " in report
    assert f"Data folder: ~{os.sep}data" in report
    assert "Models: 1, servers running: 0" in report
    assert str(Path.home()) not in report
    assert "Secret" not in report
