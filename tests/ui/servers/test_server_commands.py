"""The menu's commands for servers: for which panel they are, and when they can be chosen."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenuBar

from tests.fakes.waiting import poll
from tests.ui.conftest import Desk
from tests.ui.finding import child

COMMANDS = (
    "stop", "restart", "apply", "copy_endpoint", "copy_other_endpoint", "copy_key", "copy_command_line", "show_log",
    "dismiss", "stop_all", "fold_all", "next_server", "previous_server",
)  # fmt: skip


def action(desk: Desk, name: str) -> QAction:
    found = desk.window.findChild(QAction, name)
    assert isinstance(found, QAction)
    return found


def enabled(desk: Desk) -> set[str]:
    return {name for name in COMMANDS if action(desk, name).isEnabled()}


def click_open(desk: Desk, title: str) -> None:
    child(desk.panel(title), QAbstractButton, "fold").click()


async def test_without_servers_there_is_nothing_to_command(desk):
    await desk.open()
    await desk.add("Tiny")
    assert enabled(desk) == set()


async def test_the_only_panel_can_be_commanded_wherever_the_keyboard_is(desk):
    await desk.open()
    tiny = await desk.add("Tiny")
    desk.app.launch.start(tiny.id)
    await desk.panel_in("Tiny", "Healthy")
    await desk.add("Another, selected now")
    await poll(lambda: "apply" not in enabled(desk))
    assert enabled(desk) == {
        "stop", "restart", "copy_endpoint", "copy_command_line", "show_log", "stop_all", "fold_all", "next_server",
        "previous_server",
    }  # fmt: skip
    action(desk, "stop").trigger()
    await desk.panel_in("Tiny", "Stopped")
    assert enabled(desk) == {
        "restart", "copy_command_line", "show_log", "dismiss", "fold_all", "next_server", "previous_server"
    }  # fmt: skip
    action(desk, "dismiss").trigger()
    assert enabled(desk) == set()


async def test_what_is_open_can_be_folded(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"))
    panel = await desk.panel_in("Tiny", "Healthy")
    child(panel, QAbstractButton, "fold").click()
    assert "fold_all" not in enabled(desk)
    action(desk, "show_log").trigger()
    assert "fold_all" in enabled(desk)
    action(desk, "fold_all").trigger()
    assert not panel.is_open


async def test_commands_are_for_the_open_panel_and_name_its_server(desk):
    await desk.open()
    runs, failed = await desk.add("Runs & walks"), await desk.add("Failed")
    desk.start(runs)
    desk.start(failed, "--mock-fail-load=no")
    await desk.panel_in("Runs & walks", "Healthy")
    await desk.panel_in("Failed", "Failed")
    assert action(desk, "stop").text() == "S&top Runs && walks"
    assert "stop" in enabled(desk)
    click_open(desk, "Failed")
    assert action(desk, "restart").text() == "&Restart Failed"
    assert "dismiss" in enabled(desk)
    # With the keyboard through the menu bar, which takes the focus for that time.
    bar = child(desk.window, QMenuBar, "")
    bar.setFocus(Qt.FocusReason.MenuBarFocusReason)
    await poll(lambda: QApplication.focusWidget() is bar)
    assert "dismiss" in enabled(desk)
    click_open(desk, "Runs & walks")
    action(desk, "stop").trigger()
    await desk.panel_in("Runs & walks", "Stopped")
    click_open(desk, "Failed")
    action(desk, "dismiss").trigger()
    assert [panel.server.state.title for panel in desk.window._servers.panels.values()] == ["Runs & walks"]


async def test_keys_go_through_the_servers(desk, qtbot):
    await desk.open()
    for name in ("First", "Second", "Third"):
        desk.start(await desk.add(name))
        await desk.panel_in(name, "Healthy")
    desk.window.activateWindow()
    child(desk.panel("First"), QAbstractButton, "fold").setFocus()
    opened = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(QApplication.focusWidget(), key, Qt.KeyboardModifier.ControlModifier)
        (panel,) = [panel for panel in desk.window._servers.panels.values() if panel.is_open]
        opened.append(panel.server.state.title)
        assert panel.isAncestorOf(QApplication.focusWidget()), "the keyboard goes along"
        assert desk.models.selected.name == panel.server.state.title, "and so does the selected model"
    assert opened == ["Second", "Third", "First", "Third"]


async def test_a_selected_model_opens_its_first_server(desk):
    await desk.open()
    models = [await desk.add(name) for name in ("First", "Second", "Idle")]
    for model in models[:2]:
        desk.app.launch.start(model.id)
        await desk.panel_in(model.name, "Healthy")
    assert desk.panel("Second").is_open
    desk.models.request(models[0].id)
    assert desk.panel("First").is_open
    assert not desk.panel("Second").is_open
    desk.models.request(models[2].id)
    assert desk.panel("First").is_open, "a model without a server opens and folds nothing"
    action(desk, "fold_all").trigger()
    await desk.add("New in the list")
    assert not desk.panel("First").is_open, "only a new choice opens a panel"


async def test_key_and_command_line_are_copied_by_the_menu_too(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"), require_api_key=True)
    panel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: "copy_key" in enabled(desk))
    action(desk, "copy_key").trigger()
    key = QApplication.clipboard().text()
    assert key
    assert key == panel.server.api_key
    action(desk, "copy_command_line").trigger()
    assert QApplication.clipboard().text() == panel.server.state.command_line
    assert key not in panel.server.state.command_line
    action(desk, "stop").trigger()
    await desk.panel_in("Tiny", "Stopped")
    assert "copy_key" not in enabled(desk)


async def test_where_others_reach_a_server_is_copied(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"), host="0.0.0.0")
    panel = await desk.panel_in("Tiny", "Healthy")
    reached = panel.server.state.other_endpoints
    assert ("copy_other_endpoint" in enabled(desk)) == bool(reached), "a computer may be alone"
    if reached:
        action(desk, "copy_other_endpoint").trigger()
        assert QApplication.clipboard().text() == reached[0]
