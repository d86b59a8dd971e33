"""What is closed is gone: nothing of a dismissed panel or a closed dialog stays in memory."""

import gc
from collections import Counter
from contextlib import suppress

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QTabWidget
from shiboken6 import isValid

from tests.fakes.waiting import poll, tasks_done
from tests.ui.conftest import Desk
from tests.ui.finding import click


def _ours() -> Counter[str]:
    """The objects of our own classes that exist, by the name of their class."""
    gc.collect()
    kinds = (type(each) for each in gc.get_objects() if isinstance(each, QObject))
    return Counter(kind.__qualname__ for kind in kinds if kind.__module__.startswith("gglib_desktop."))


async def _gone(before: Counter[str]) -> None:
    with suppress(AssertionError):
        await poll(lambda: not _ours() - before)
    assert _ours() - before == Counter()


async def _open_and_close(desk: Desk, action: str) -> None:
    dialog = await desk.dialog(action)
    for pages in dialog.findChildren(QTabWidget):
        pages.setCurrentIndex(1)
    dialog.reject()
    await poll(lambda: not isValid(dialog))


async def test_nothing_of_a_dismissed_server_stays(desk):
    await desk.add()
    before = _ours()
    for _ in range(2):
        desk.app.launch.start(desk.models.selected.id)
        panel = await desk.panel_in("Tiny", "Healthy")
        pages = panel.findChild(QTabWidget, "pages")
        for title in ("Requests", "Chat", "Log", "Settings"):
            pages.setCurrentIndex(next(page for page in range(pages.count()) if pages.tabText(page) == title))
        panel.server.stop.trigger()
        await desk.panel_in("Tiny", "Stopped")
        panel.server.dismiss()
        del panel, pages
        await poll(lambda: not desk.app.servers.panels)
    await _gone(before)


@pytest.mark.parametrize("name", ["settings", "start_with", "defaults", "details", "tags", "paste_command", "about"])
async def test_nothing_of_a_closed_dialog_stays(desk, name):
    await desk.open()
    await desk.add()
    before = _ours()
    for _ in range(2):
        await _open_and_close(desk, name)
    await _gone(before)


async def test_details_closed_while_the_defaults_are_read(desk, qtbot):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog("details")
    click(qtbot, dialog, "detailsDefaults")
    dialog.reject()
    await tasks_done("launch defaults")
    assert not [each for each in desk.window.findChildren(QDialog) if each.isVisible()]


async def test_a_launch_form_may_be_closed_twice(desk):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog("start_with")
    dialog.reject()
    dialog.accept()
    await poll(lambda: not isValid(dialog))
