"""The log and the chat in windows of their own."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QTableView, QTabWidget, QToolButton, QWidget
from shiboken6 import isValid

from gglib_desktop.views.servers.panel.view import ServerPanel
from tests.fakes.waiting import poll
from tests.ui.finding import child

LOG, CHAT = 3, 2


@pytest.fixture
async def panel(desk) -> ServerPanel:
    await desk.open()
    model = await desk.add("Tiny")
    desk.app.launch.start(model.id)
    found: ServerPanel = await desk.panel_in("Tiny", "Healthy")
    return found


def windows(panel: ServerPanel) -> list[QWidget]:
    return [window for window in panel.findChildren(QWidget, "pageWindow") if window.isVisible()]


def detach(panel: ServerPanel, tab: int) -> QWidget:
    child(panel, QTabWidget, "pages").setCurrentIndex(tab)
    child(panel, QToolButton, "detachPage").click()
    return windows(panel)[-1]


async def test_only_the_chat_and_the_log_have_the_button(panel):
    pages, button = child(panel, QTabWidget, "pages"), child(panel, QToolButton, "detachPage")
    found = []
    for tab in range(pages.count()):
        pages.setCurrentIndex(tab)
        found += [(tab, button.accessibleName())] if button.isVisible() else []
    assert found == [(CHAT, "Open chat in a window"), (LOG, "Open log in a window")]
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


async def test_a_closed_window_puts_its_page_back(panel, qtbot):
    window = detach(panel, LOG)
    assert window.windowTitle() == "Tiny – Log"
    log = child(window, QTableView, "log")
    assert not child(panel, QToolButton, "detachPage").isVisible()
    await poll(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert not windows(panel)
    assert child(panel, QToolButton, "detachPage").isVisible()
    assert log.isVisible()
    assert log.window() is panel.window()
    # Once more, by the button that stands in its place.
    assert detach(panel, LOG).isAncestorOf(log)
    child(panel, QPushButton, "putPageBack").click()
    assert log.window() is panel.window()


async def test_a_window_hears_of_the_server_while_the_panel_is_folded(panel):
    chat, log = detach(panel, CHAT), detach(panel, LOG)
    assert windows(panel) == [chat, log] or windows(panel) == [log, chat]
    panel.show_open(False)
    state = panel.server.state
    panel.server.stateChanged.emit(replace(state, title="Renamed", takes_images=False))
    assert [chat.windowTitle(), log.windowTitle()] == ["Renamed – Chat", "Renamed – Log"]
    assert "takes no images" in child(chat, QPushButton, "attachImage").toolTip()


async def test_the_windows_of_a_server_end_with_its_panel(panel):
    opened = [detach(panel, CHAT), detach(panel, LOG)]
    panel.server.stop.trigger()
    await poll(lambda: not panel.server.state.is_live)
    panel.server.dismiss()
    await poll(lambda: not any(isValid(window) for window in opened))


@pytest.mark.parametrize(
    ("tab", "stops"),
    [
        (1, ["requestScope", "requestResult", "requests"]),
        (CHAT, ["detachPage", "chatSystem", "chatConversation", "chatMessage", "attachImage"]),
        (LOG, ["detachPage", "log", "logSearch", "logLevel", "followLog"]),
    ],
)
async def test_tab_goes_from_the_tabs_through_all_of_a_page(panel, qtbot, tab, stops):
    pages = child(panel, QTabWidget, "pages")
    panel.window().activateWindow()
    await poll(panel.window().isActiveWindow)
    pages.tabBar().setFocus()
    pages.setCurrentIndex(tab)
    found = []
    for _stop in stops:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        found.append("" if focus is None else focus.objectName())
    assert found == stops
