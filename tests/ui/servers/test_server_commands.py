"""The menu's commands for servers: for which panel they are, and when they can be chosen."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenuBar, QTableView

from tests.fakes.waiting import poll
from tests.ui.conftest import Desk
from tests.ui.finding import child

COMMANDS = (
    "stop", "restart", "apply", "copy_endpoint", "copy_other_endpoint", "copy_key", "copy_command_line", "show_log",
    "dismiss", "stop_all", "fold_all", "unfold_all",
)  # fmt: skip


def action(desk: Desk, name: str) -> QAction:
    found = desk.window.findChild(QAction, name)
    assert isinstance(found, QAction)
    return found


def enabled(desk: Desk) -> set[str]:
    return {name for name in COMMANDS if action(desk, name).isEnabled()}


def give_keyboard(desk: Desk, title: str, name: str = "fold") -> None:
    desk.window.activateWindow()
    child(desk.panel(title), QAbstractButton, name).setFocus()


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
        "stop", "restart", "copy_endpoint", "copy_command_line", "show_log", "stop_all", "fold_all"
    }  # fmt: skip
    action(desk, "stop").trigger()
    await desk.panel_in("Tiny", "Stopped")
    assert enabled(desk) == {"restart", "apply", "copy_command_line", "show_log", "dismiss", "fold_all"}
    action(desk, "dismiss").trigger()
    assert enabled(desk) == set()


async def test_what_can_be_folded_follows_the_panels(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"))
    panel = await desk.panel_in("Tiny", "Healthy")
    child(panel, QAbstractButton, "fold").click()
    assert {"fold_all", "unfold_all"} & enabled(desk) == {"unfold_all"}
    action(desk, "show_log").trigger()
    assert {"fold_all", "unfold_all"} & enabled(desk) == {"fold_all"}
    action(desk, "fold_all").trigger()
    assert panel.is_folded
    assert {"fold_all", "unfold_all"} & enabled(desk) == {"unfold_all"}
    action(desk, "unfold_all").trigger()
    assert not panel.is_folded


async def test_commands_are_for_the_panel_with_the_keyboard(desk):
    await desk.open()
    runs, failed = await desk.add("Runs"), await desk.add("Failed")
    desk.start(runs)
    desk.start(failed, "--mock-fail-load=no")
    await desk.panel_in("Runs", "Healthy")
    await desk.panel_in("Failed", "Failed")
    desk.window.activateWindow()
    child(desk.window, QTableView, "models").setFocus()
    assert "dismiss" in enabled(desk), "of the selected model"
    give_keyboard(desk, "Runs")
    await poll(lambda: "stop" in enabled(desk))
    assert "dismiss" not in enabled(desk)
    # With the keyboard through the menu bar, which takes the focus for that time.
    bar = child(desk.window, QMenuBar, "")
    bar.setFocus(Qt.FocusReason.MenuBarFocusReason)
    await poll(lambda: QApplication.focusWidget() is bar)
    assert "stop" in enabled(desk)
    action(desk, "stop").trigger()
    await desk.panel_in("Runs", "Stopped")
    give_keyboard(desk, "Failed")
    await poll(lambda: "restart" in enabled(desk))
    action(desk, "dismiss").trigger()
    assert [panel.server.state.title for panel in desk.window._servers.panels.values()] == ["Runs"]


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
