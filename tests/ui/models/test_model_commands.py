"""What the menu does with the selected model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QUrl
from PySide6.QtGui import QAction, QContextMenuEvent, QDesktopServices
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton

from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.views.models.details.dialog import ModelDetailsDialog
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk, text_of
from tests.ui.finding import child
from tests.ui.models.test_model_list_view import filled, table

OF_A_MODEL = (
    "start",
    "start_with",
    "start_another",
    "defaults",
    "details",
    "tags",
    "show_in_folder",
    "copy_path",
    "remove_model",
    "measure_drafting",
)


def action(desk: Desk, name: str) -> QAction:
    found = desk.window.findChild(QAction, name)
    assert found is not None
    return found


def visible(desk: Desk, kind: type[Any]) -> Any:
    return next((found for found in desk.window.findChildren(kind) if found.isVisible()), None)


async def test_without_a_selected_model_there_is_nothing_to_do(desk):
    await filled(desk)
    assert all(action(desk, name).isEnabled() for name in OF_A_MODEL)
    table(desk).clearSelection()
    assert not any(action(desk, name).isEnabled() for name in OF_A_MODEL)
    for name in OF_A_MODEL:
        action(desk, name).triggered.emit()
    assert len(desk.library.models) == 3


async def test_what_is_no_model_can_be_looked_at_but_not_started(desk):
    head = replace(some_facts("Head"), sidecar=Sidecar.DRAFT_HEAD)
    await desk.open()
    await desk.add("Head", head)
    assert {name for name in OF_A_MODEL if action(desk, name).isEnabled()} == {
        *("details", "tags", "show_in_folder", "copy_path", "remove_model")
    }
    start, start_with = (child(desk.window, QPushButton, name) for name in ("startButton", "startWithButton"))
    assert not start.isEnabled()
    assert not start_with.isEnabled()
    await desk.add("Whole")
    assert start.isEnabled()
    assert start_with.isEnabled()
    assert all(action(desk, name).isEnabled() for name in OF_A_MODEL)


async def test_a_scan_that_finds_no_model_in_the_selected_file_ends_the_offer_to_start_it(desk):
    await desk.open()
    await desk.add("Whole")
    start = child(desk.window, QPushButton, "startButton")
    assert start.isEnabled()
    desk.files.make("Whole.gguf", replace(some_facts("Whole"), sidecar=Sidecar.DRAFT_HEAD))
    desk.app.library.scan.trigger()
    await poll(lambda: not start.isEnabled())
    assert desk.models.selected is not None


async def test_the_path_is_copied_and_the_folder_shown(desk, monkeypatch):
    await filled(desk)
    action(desk, "copy_path").trigger()
    path = Path(desk.models.selected.path)
    assert QApplication.clipboard().text() == str(path)
    opened: list[str] = []

    def show(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return len(opened) == 1

    monkeypatch.setattr(QDesktopServices, "openUrl", show)
    action(desk, "show_in_folder").trigger()
    assert opened == [str(path.parent)]
    assert "could show" not in text_of(desk.window)
    action(desk, "show_in_folder").trigger()
    assert f"No program of this computer could show {path.parent}" in text_of(desk.window)


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
async def test_details_open_and_close(desk):
    await filled(desk)
    action(desk, "details").trigger()
    dialog = await poll(lambda: visible(desk, ModelDetailsDialog))
    assert dialog.windowTitle() == "Details of Gemma"
    dialog.reject()
    await poll(lambda: not visible(desk, ModelDetailsDialog))
    action(desk, "tags").trigger()
    dialog = await poll(lambda: visible(desk, ModelDetailsDialog))
    tags = dialog.findChild(QLineEdit, "field_tags")
    await poll(tags.hasFocus)
    dialog.reject()


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
async def test_a_key_opens_the_menu_at_the_selected_model(desk):
    await filled(desk)
    view = table(desk)
    view.selectRow(0)
    somewhere = QPoint(3, view.viewport().height() - 3)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, somewhere, view.viewport().mapToGlobal(somewhere))
    QApplication.sendEvent(view, event)
    menu = await poll(lambda: visible(desk, QMenu))
    assert {each.objectName() for each in menu.actions() if each.text()} == set(OF_A_MODEL)
    row = view.visualRect(view.model().index(0, 0))
    assert row.contains(view.viewport().mapFromGlobal(menu.pos()))
    menu.close()


async def test_every_command_has_its_place_in_the_menu_bar(desk):
    await filled(desk)
    menus = [entry.menu() for entry in desk.window.menuBar().actions()]
    held = {entry.objectName() for menu in menus if isinstance(menu, QMenu) for entry in menu.actions()}
    assert {*OF_A_MODEL, "sort", "filter"} <= held
