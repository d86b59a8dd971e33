"""What a panel shows of a server that others reach or that asks for a key."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from gglib_desktop.views.servers.panel.view import ServerPanel
from tests.fakes.accessibility import Role, get, names
from tests.fakes.waiting import poll


@pytest.fixture
async def model(desk):
    await desk.open()
    return await desk.add("Tiny")


async def panel_of(desk, model, **choices: object) -> ServerPanel:
    desk.start(model, **choices)
    panel: ServerPanel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: panel.server.state.asks_for_key is not None)
    return panel


def shown(panel: ServerPanel) -> list[str]:
    return [name for name in names(panel, Role.StaticText, Role.Button) if name in {"Exposed", "Copy key"}]


async def test_a_server_for_this_computer_alone_has_no_mark_and_no_key(desk, model):
    panel = await panel_of(desk, model)
    assert shown(panel) == []


async def test_a_server_that_others_reach_is_marked_also_when_folded(desk, model):
    panel = await panel_of(desk, model, host="0.0.0.0")
    mark = get(panel, "Exposed", Role.StaticText)
    assert "Other computers can reach this server" in mark.toolTip()
    assert mark.toolTip().endswith("It answers only who shows the key.")
    assert mark.accessibleDescription() == mark.toolTip()
    desk.app.servers.current.fold()
    await poll(lambda: shown(panel) == ["Exposed"])


async def test_the_key_is_copied_and_never_shown(desk, model, qtbot):
    panel = await panel_of(desk, model, require_api_key=True)
    assert shown(panel) == ["Copy key"]
    button = panel.findChild(QPushButton, "copyKey")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == panel.server.api_key
    assert button.text() == "Copied"
    assert button.accessibleName() == "Copy key"
    assert panel.server.api_key not in repr(panel.server.state)
    await poll(lambda: button.text() == "Copy key")


async def test_it_fits_into_the_smallest_window(desk, model):
    panel = await panel_of(desk, model, host="0.0.0.0")
    desk.window.resize(800, 600)
    area = panel.parentWidget()
    assert area is not None
    viewport = area.parentWidget()
    assert viewport is not None
    await poll(lambda: panel.width() <= viewport.width())
