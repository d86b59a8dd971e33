"""Enter presses the button that has the keyboard; in a field it presses the default one."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QSpinBox, QTableView, QTabWidget
from shiboken6 import isValid

from gglib_desktop.views.models.details.dialog import DetailsPage
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


async def test_keys_in_the_search_of_a_form(desk, qtbot):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog("start_with")
    child(dialog, QSpinBox, "field_context_size").setValue(4096)
    search = child(dialog, QLineEdit, "optionSearch")
    search.setFocus()
    qtbot.keyClicks(search, "parallel")
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert not desk.app.servers.panels, "a search starts nothing"
    assert dialog.focusWidget() is child(dialog, QSpinBox, "field_parallel"), "whether or not the dialog is active yet"
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert (search.text(), dialog.isVisible()) == ("", True)
    assert child(dialog, QSpinBox, "field_context_size").value() == 4096
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    await poll(lambda: not isValid(dialog))


async def test_keys_in_the_search_of_the_metadata(desk, qtbot):
    await desk.open()
    await desk.add()
    dialog = await desk.dialog("details")
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.METADATA)
    search = child(dialog, QLineEdit, "searchMetadata")
    search.setFocus()
    qtbot.keyClicks(search, "layers")
    qtbot.keyClick(search, Qt.Key.Key_Down)
    assert dialog.focusWidget() is child(dialog, QTableView, "metadata")
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert (search.text(), dialog.isVisible()) == ("", True)
    dialog.reject()
