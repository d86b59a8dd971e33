"""What ends a server's work: a busy one is stopped after a question, one out of reach not at all."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton

from gglib_desktop.domain.documents.settings import PlaceSettings
from gglib_desktop.domain.servers.states import Unreachable
from gglib_desktop.views.servers.panel.busy_dialog import StopBusyDialog
from gglib_desktop.views.servers.panel.view import ServerPanel
from gglib_desktop.views.servers.panel_area import PanelArea
from tests.fakes.accessibility import Role, get, names
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk, text_of
from tests.ui.finding import assert_all_named, child


@pytest.fixture
async def healthy(desk) -> ServerPanel:
    await desk.open()
    desk.app.launch.start((await desk.add("Tiny")).id)
    panel: ServerPanel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: panel.server.state.busy_slots == 0)
    return panel


def make_busy(panel: ServerPanel, slots: int) -> None:
    panel.server.figures.show(replace(panel.server.figures.state, busy_slots=slots))
    assert panel.server.state.running_requests == slots


async def question(desk: Desk) -> StopBusyDialog:
    def there() -> StopBusyDialog | None:
        found = desk.window.findChildren(StopBusyDialog)
        return next((dialog for dialog in found if dialog.isVisible()), None)

    dialog = await poll(there)
    assert dialog is not None
    return dialog


async def test_stopping_a_busy_server_asks_how_many_requests_that_cuts_off(desk, healthy, qtbot):
    make_busy(healthy, 3)
    handle = healthy.server.state.handle
    qtbot.mouseClick(get(healthy, "Stop", Role.Button), Qt.MouseButton.LeftButton)
    dialog = await question(desk)
    assert_all_named(dialog)
    assert dialog.windowTitle() == "Stop Tiny?"
    assert "3 requests are running. They would be cut off." in child(dialog, QLabel, "stopBusyRequests").text()
    desk.window.findChild(QAction, "stop").trigger()
    assert len([d for d in desk.window.findChildren(QDialog) if d.isVisible()]) == 1, "one question at a time"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    await poll(lambda: not desk.window.findChildren(StopBusyDialog))
    assert healthy.server.state.handle == handle, "Enter leaves it at work"
    make_busy(healthy, 1)
    desk.window.findChild(QAction, "stop").trigger()
    dialog = await question(desk)
    assert "1 request is running. It would be cut off." in child(dialog, QLabel, "stopBusyRequests").text()
    qtbot.mouseClick(child(dialog, QPushButton, "stopAnyway"), Qt.MouseButton.LeftButton)
    await desk.panel_in("Tiny", "Stopped")


async def test_so_does_a_restart(desk, healthy, qtbot):
    make_busy(healthy, 2)
    handle = healthy.server.state.handle
    qtbot.mouseClick(get(healthy, "Restart", Role.Button), Qt.MouseButton.LeftButton)
    dialog = await question(desk)
    assert "The server starts again after that." in child(dialog, QLabel, "stopBusyRequests").text()
    qtbot.mouseClick(child(dialog, QPushButton, "stopAnyway"), Qt.MouseButton.LeftButton)
    await poll(lambda: healthy.server.state.handle not in {handle, None})


async def test_a_server_out_of_reach_offers_only_what_works_and_says_so(desk, healthy):
    snapshot = desk.supervisor.server(healthy.server.id)
    healthy.server.show(replace(snapshot, state=Unreachable(0.0, "attic"), facts=None))
    assert {"Activity: unknown", "Speed: not known", "Health: Unreachable"} <= set(names(healthy, Role.StaticText))
    offered = set(names(healthy, Role.Button))
    assert "Dismiss" in offered
    assert not {"Start", "Stop", "Restart", "Copy endpoint"} & offered
    for action in ("stop", "restart", "apply", "copy_endpoint"):
        assert not desk.window.findChild(QAction, action).isEnabled(), action
    assert "Dismiss closes this panel only" in text_of(healthy)
    assert "attic" in get(healthy, "Dismiss").accessibleDescription()


async def test_with_many_servers_the_open_panel_stays_in_view_and_every_line_can_be_reached(desk):
    await desk.open()
    for number in range(14):
        desk.start(await desk.add(f"Model {number:02}"))
    desk.window.resize(800, 400)
    await poll(lambda: len(desk.app.servers.panels) == 14)
    panels = list(desk.window._servers.panels.values())
    await poll(panels[-1].line.fold.isVisible)
    QApplication.processEvents()
    area = child(desk.window, PanelArea, "servers")
    bar = area.verticalScrollBar()
    await poll(lambda: bar.maximum() > 0)
    desk.app.servers.current.open(panels[7].server.id)
    QApplication.processEvents()
    for value in (0, bar.maximum() // 2, bar.maximum()):
        bar.setValue(value)
        assert panels[7].visibleRegion().boundingRect().height() == panels[7].height(), value
    for panel in panels:
        area.reveal(panel)
        assert panel.line.fold.visibleRegion().boundingRect().size() == panel.line.fold.size()


async def test_the_line_names_a_place_that_is_not_this_computer(desk, healthy):
    assert not [name for name in names(healthy, Role.StaticText) if name.startswith("Place:")]
    snapshot = desk.supervisor.server(healthy.server.id)
    healthy.server.show(replace(snapshot, config=snapshot.config.replace(place="box")))
    assert "Place: box" in names(healthy, Role.StaticText)
    await desk.settings.change(places={"box": PlaceSettings(url="podman:llama", name="Big box")})
    await poll(lambda: "Place: Big box" in names(healthy, Role.StaticText))
    gone = replace(snapshot, config=snapshot.config.replace(place="box"), state=Unreachable(0.0, "box"))
    healthy.server.show(gone)
    assert "Big box cannot be reached since " in get(healthy, "Dismiss").accessibleDescription()
