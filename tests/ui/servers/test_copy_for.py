"""The menu that copies what other programs need."""

from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu

from tests.fakes.waiting import poll
from tests.ui.conftest import Desk


def copy_for(desk: Desk) -> QMenu:
    found = desk.window.findChild(QMenu, "copy_for")
    assert isinstance(found, QMenu)
    return found


def action(desk: Desk, name: str) -> QAction:
    found = desk.window.findChild(QAction, name)
    assert isinstance(found, QAction)
    return found


def copied(desk: Desk, name: str) -> str:
    action(desk, name).trigger()
    return QGuiApplication.clipboard().text()


async def test_its_entries_are_called_as_agreed(desk):
    await desk.open()
    assert not copy_for(desk).menuAction().isEnabled()
    desk.start(await desk.add("Tiny"))
    await desk.panel_in("Tiny", "Healthy")
    assert [entry.text() for entry in copy_for(desk).actions() if entry.text()] == [
        "curl",
        "OpenAI Python",
        "OpenAI JavaScript",
        "Cline",
        "Continue",
        "Zed",
        "aider",
        "Open WebUI",
        "Include &key",
    ]
    assert not action(desk, "include_key").isEnabled()


async def test_what_is_copied_names_the_server_and_tells_the_key_only_if_asked(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"), require_api_key=True)
    panel = await desk.panel_in("Tiny", "Healthy")
    await poll(lambda: panel.server.state.key_is_known)
    key, endpoint = panel.server.api_key, panel.server.state.endpoint
    assert copy_for(desk).menuAction().isEnabled()
    hidden = copied(desk, "copy_for_cline")
    assert f"Base URL: {endpoint}\n" in hidden
    assert "Model ID: Tiny\n" in hidden
    assert key not in hidden
    action(desk, "include_key").setChecked(True)
    assert f"API Key: {key}\n" in copied(desk, "copy_for_cline")
    assert f"Bearer {key}" in copied(desk, "copy_for_curl")
