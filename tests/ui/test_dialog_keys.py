"""Enter presses the button that has the keyboard; in a field it presses the default one."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QSpinBox
from shiboken6 import isValid

from tests.fakes.waiting import poll
from tests.ui.finding import child


@pytest.mark.parametrize(("pressed", "port"), [("settingsCancel", 9000), ("settingsSave", 9500)])
async def test_what_enter_does_to_the_settings(desk, qtbot, pressed, port):
    await desk.open()
    dialog = await desk.dialog("settings")
    child(dialog, QSpinBox, "field_base_port").setValue(9500)
    button = child(dialog, QPushButton, pressed)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    await poll(lambda: not isValid(dialog))
    assert desk.settings.current.base_port == port


async def test_enter_on_a_button_of_a_page(desk, qtbot):
    await desk.open()
    dialog = await desk.dialog("settings")
    button = child(dialog, QPushButton, "engineBrowse")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    child(dialog, QFileDialog, "engineFileDialog").reject()
    assert dialog.isVisible()
    dialog.reject()


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("settings", "settingsSave"),
        ("start_with", "startWithStart"),
        ("defaults", "modelDefaultsSave"),
        ("paste_command", "pasteCommandFill"),
        ("about", "aboutClose"),
    ],
)
async def test_there_is_one_default_button(desk, name, default):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog(name)
    buttons = dialog.findChildren(QPushButton)
    assert [each.objectName() for each in buttons if each.isDefault()] == [default]
    assert all(each.autoDefault() for each in buttons)
    dialog.reject()
