"""What is seen of a search for models while it goes on, and how it is ended."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from gglib_desktop.services.models import library as library_module
from tests.fakes.accessibility import get, seen_in
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll, tasks_done
from tests.ui.conftest import Desk, text_of


@pytest.fixture
async def scanning(desk: Desk, monkeypatch) -> Path:
    """A folder of three models that is being looked through, and stays so until ``files.go_on`` is set."""
    monkeypatch.setattr(library_module, "_BATCH_S", 0.0)
    monkeypatch.setattr(library_module, "_MOST_BATCH_S", 0.0)
    await desk.open()
    await tasks_done("scan")  # whose own progress would take the place of what is waited for
    for name in ("One", "Two", "Three"):
        desk.files.make(f"folder/{name}.gguf", some_facts(name))
    folder = desk.files.make("folder/readme.txt").parent
    desk.files.go_on.clear()
    desk.files.is_reading.clear()
    desk.app.library.add([folder])
    await poll(lambda: f"3 files · {folder}" in text_of(desk.window))
    await poll(desk.files.is_reading.is_set)
    return folder


def stop_action(desk: Desk) -> QAction:
    found = desk.window.findChild(QAction, "stop_scan")
    assert isinstance(found, QAction)
    return found


def told(desk: Desk) -> bool:
    return any(node.shown and node.name.startswith("Scanning: ") for node in seen_in(desk.window))


async def test_it_is_told_only_while_it_goes_on(desk, scanning):
    assert told(desk)
    assert stop_action(desk).isEnabled()
    desk.files.go_on.set()
    await poll(lambda: not told(desk))
    assert len(desk.library.models) == 3
    assert not stop_action(desk).isEnabled()


async def test_the_button_ends_it_and_what_was_found_stays(desk, scanning, qtbot):
    qtbot.mouseClick(get(desk.window, "Stop scanning"), Qt.MouseButton.LeftButton)
    desk.files.go_on.set()
    await poll(lambda: not told(desk))
    assert len(desk.library.models) == 1


async def test_the_menu_ends_it(desk, scanning):
    stop_action(desk).trigger()
    desk.files.go_on.set()
    await poll(lambda: not told(desk))
    assert len(desk.library.models) == 1


async def test_nothing_is_said_of_a_scan_that_is_over_at_once(desk):
    await desk.open()
    await desk.add()
    assert not told(desk)
    assert not stop_action(desk).isEnabled()
