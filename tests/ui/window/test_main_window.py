"""The window as a whole: what it is called, what it teaches, and what its controls do."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import SIGNAL, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QWidget,
)
from shiboken6 import delete

from gglib_desktop.adapters.engines.llama_cpp.simulated import SIMULATED_ENGINE
from gglib_desktop.adapters.runner.simulated import MockRunner
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.viewmodels.servers.servers import ServerTotals
from gglib_desktop.views.launch.dialog import StartWithDialog
from gglib_desktop.views.look.actions import Actions, make_menus
from gglib_desktop.views.servers.panel.view import ServerPanel
from gglib_desktop.views.settings.dialog import SettingsDialog
from gglib_desktop.views.window.about import AboutDialog
from gglib_desktop.views.window.quit import QuitDialog
from tests.fakes.accessibility import Role, get, names, seen_in
from tests.fakes.library import some_facts
from tests.fakes.program import TIMINGS
from tests.fakes.waiting import poll
from tests.ui.conftest import Desk, text_of
from tests.ui.finding import child, text


def click(qtbot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def banner(desk: Desk) -> str:
    label = desk.window.findChild(QLabel, "bannerText")
    assert label is not None
    return label.text() if label.isVisible() else ""


async def opened(desk: Desk, kind: type[QDialog]) -> Any:
    """The dialog of this kind, once it is on screen."""

    def visible() -> QDialog | None:
        return next((dialog for dialog in desk.window.findChildren(kind) if dialog.isVisible()), None)

    return await poll(visible)


# -- names


async def test_the_empty_window_is_called_as_agreed(desk):
    await desk.open()
    assert desk.window.windowTitle() == "GGLib Desktop"
    assert seen_in(desk.window)[0].name == "GGLib Desktop"
    assert {name for name in names(desk.window, Role.Button) if name} == {
        "Add models",
        "Start",
        "Start with…",
        "Settings",
        "Create demo model",
    }
    assert names(desk.window, Role.EditableText) == ["Search models"]
    assert isinstance(get(desk.window, "Models", Role.Table), QAbstractItemView)
    assert names(desk.window, Role.MenuItem)[:5] == ["File", "Model", "Server", "View", "Help"]


async def test_the_main_buttons_tell_their_shortcuts(desk):
    told = {name: child(desk.window, QPushButton, f"{name}Button").toolTip() for name in ("addModels", "startWith")}
    assert told == {"addModels": "Add models (Ctrl+O)", "startWith": "Start with (Ctrl+Shift+Return)"}
    assert all(child(desk.window, QPushButton, f"{name}Button").toolTip() for name in ("start", "settings"))


async def test_every_action_is_connected(desk):
    bare = QMainWindow()
    idle, signal = make_menus(bare, QMenu(bare), QMenu(bare), QMenu(bare)), SIGNAL("triggered(bool)")
    listeners = {field.name: getattr(idle, field.name).receivers(signal) for field in fields(Actions)}
    found = {name: desk.window.findChild(QAction, name).receivers(signal) for name in listeners}
    assert [name for name, count in found.items() if count == listeners[name]] == []


async def test_a_second_server_of_a_model_has_a_number(desk):
    await desk.open()
    model = await desk.add("Tiny")
    desk.app.launch.start(model.id)
    await desk.panel_in("Tiny", "Healthy")
    desk.window.findChild(QAction, "start_another").trigger()
    second = await desk.panel_in("Tiny (2)", "Healthy")
    assert second.server.id != desk.panel("Tiny").server.id


INTERACTIVE = {
    Role.Button,
    Role.EditableText,
    Role.CheckBox,
    Role.RadioButton,
    Role.SpinBox,
    Role.ComboBox,
    Role.PageTab,
    Role.Table,
    Role.List,
}


async def every_kind_of_panel(desk: Desk) -> None:
    await desk.open()
    healthy, failed = await desk.add("Healthy"), await desk.add("Failed")
    desk.start(healthy)
    desk.start(failed, "--mock-fail-load=couldn't bind HTTP server socket")
    await desk.panel_in("Healthy", "Healthy")
    await desk.panel_in("Failed", "Failed")
    desk.panel("Healthy").show_log()


async def test_nothing_that_can_be_used_is_without_a_name(desk):
    await every_kind_of_panel(desk)
    unnamed = [node for node in seen_in(desk.window) if node.shown and node.role in INTERACTIVE and not node.name]
    # A spin box's own line edit is a part of it.
    assert [node for node in unnamed if not (node.widget and isinstance(node.widget.parent(), QAbstractSpinBox))] == []


async def test_everything_that_can_be_used_has_an_object_name(desk):
    await every_kind_of_panel(desk)
    kinds = (QAbstractButton, QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox, QAbstractItemView, QTabWidget)
    widgets = [widget for kind in kinds for widget in desk.window.findChildren(kind)]
    parts = (QAbstractSpinBox, QLineEdit, QComboBox)
    nameless = [w for w in widgets if not w.objectName() and not isinstance(w.parent(), parts)]
    # The square in the corner of a table is Qt's own and never shown here.
    assert [w for w in nameless if w.isVisible()] == []
    assert len({action.objectName() for action in actions(desk)}) == len(actions(desk))


def actions(desk: Desk) -> list[QAction]:
    return [action for action in desk.window.findChildren(QAction) if action.text() and action.menu() is None]


async def test_the_menu_bar_holds_every_action_and_no_shortcut_twice(desk):
    await desk.open()
    menus = {
        menu.title(): menu.actions() for menu in desk.window.menuBar().findChildren(QWidget) if hasattr(menu, "title")
    }
    in_menus = {action.objectName() for entries in menus.values() for action in entries if action.text()}
    expected = {"add_models", "add_folder", "scan", "create_demo", "start", "start_with", "stop", "restart", "settings"}
    for name in expected | {"quit", "find"}:
        assert name in in_menus
    shortcuts = [action.shortcut().toString() for action in actions(desk) if not action.shortcut().isEmpty()]
    assert len(shortcuts) == len(set(shortcuts))


# What fields do with these on X11, where some come from Emacs; the offscreen platform has fewer.
EDITING = (
    *(f"Ctrl+{key}" for key in ("A", "C", "D", "E", "K", "U", "V", "X", "Y", "Z", "Del", "Backspace", "Left", "Right")),
    *(f"Ctrl+{key}" for key in ("Ins", "Home", "End")),
)


async def test_no_shortcut_is_a_key_for_editing_text(desk):
    assert {action.shortcut().toString() for action in actions(desk)}.isdisjoint(EDITING)


async def test_deleting_text_of_the_search_removes_no_model(desk, qtbot):
    await desk.open()
    await desk.add("Tiny")
    removals: list[bool] = []
    desk.window.findChild(QAction, "remove_model").triggered.connect(removals.append)
    search = child(desk.window, QLineEdit, "searchModels")
    search.setFocus()
    for modifier in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier):
        search.setText("tiny")
        search.setCursorPosition(0)
        if modifier is Qt.KeyboardModifier.ShiftModifier:
            search.selectAll()
        qtbot.keyClick(search, Qt.Key.Key_Delete, modifier)
        assert search.text() == ""
    assert removals == []


# -- empty states


async def test_without_models_it_says_how_to_get_one(desk):
    await desk.open()
    said = text_of(desk.window)
    assert "No models yet" in said
    assert "Add a model on the left to begin." in said
    assert not get(desk.window, "Start").isEnabled()


async def test_the_demo_model_is_one_click_away(desk, qtbot):
    await desk.open()
    click(qtbot, get(desk.window, "Create demo model"))
    await poll(lambda: desk.models.selected is not None)
    assert desk.models.selected.name == "Demo model"
    said = text_of(desk.window)
    assert "No models yet" not in said
    assert "Select a model and press Start." in said


async def test_without_an_engine_it_says_so_and_offers_to_choose_one(desk, qtbot):
    desk.catalog.found = None
    await desk.open()
    await desk.add()
    assert "No llama-server was found" in text_of(desk.window)
    assert "Settings" in desk.window.findChild(QLabel, "serversEmpty").text()
    click(qtbot, get(desk.window, "Choose engine…"))
    dialog = await opened(desk, QDialog)
    assert dialog.windowTitle() == "Settings"
    assert dialog.focusWidget() is dialog.findChild(QLineEdit, "field_engine_path")
    dialog.reject()


async def test_with_an_engine_nothing_is_to_be_chosen(desk):
    await desk.open()
    assert not child(desk.window, QPushButton, "chooseEngine").isVisible()
    assert desk.window.findChild(QLabel, "simulated") is None


async def test_a_simulation_is_called_one(desk):
    desk.catalog.found = SIMULATED_ENGINE
    await desk.open()
    sign = await poll(lambda: desk.window.findChild(QLabel, "simulated"))
    assert sign.isVisible()
    assert sign.text() == "Simulated: no model really runs"


# -- models and servers


async def test_what_is_given_at_the_start_is_listed_and_selected(desk):
    first, second = desk.files.make("a.gguf", some_facts("A")), desk.files.make("b.gguf", some_facts("B"))
    await desk.open(second, first)
    await poll(lambda: desk.models.selected is not None and desk.models.selected.name == "B")
    assert get(desk.window, "Start").isEnabled()


async def test_start_shows_a_panel_that_becomes_healthy(desk, qtbot):
    await desk.open()
    await desk.add("Tiny")
    click(qtbot, get(desk.window, "Start"))
    panel = await desk.panel_in("Tiny", "Healthy")
    assert panel.isVisible()
    await poll(lambda: desk.window.findChild(QLabel, "summary").text() == "1 running")
    desk.app.servers.current.fold()
    click(qtbot, get(desk.window, "Show server"))
    await poll(lambda: panel.is_open)
    assert len(desk.supervisor.servers) == 1
    desk.window.resize(1400, 800)
    another = child(desk.window, QPushButton, "startAnotherButton")
    await poll(another.isVisible)
    await desk.supervisor.stop_all()
    await poll(lambda: not another.isVisible())
    assert desk.window.findChild(QLabel, "summary").text() == "No servers running"


async def test_the_bar_tells_the_memory_that_servers_use_once_it_is_known(desk):
    await desk.open()
    memory, graphics = (child(desk.window, QLabel, name) for name in ("memoryUse", "graphicsMemoryUse"))
    assert not memory.isVisible(), "nothing runs"
    totals = ServerTotals(2, 21 * 2**30, 64 * 2**30, None, 24 * 2**30)
    desk.app.servers.totalsChanged.emit(totals)
    await poll(memory.isVisible)
    assert memory.accessibleName() == "Memory: 21.0 of 64.0 GiB"
    assert not graphics.isVisible(), "not known"
    desk.app.servers.totalsChanged.emit(replace(totals, graphics=9 * 2**30))
    assert graphics.accessibleName() == "Graphics memory: 9.0 of 24.0 GiB"
    desk.window.resize(800, 600)
    await poll(lambda: desk.window.width() == 800)
    assert memory.isVisible()


async def test_start_with_starts_what_was_chosen(desk, qtbot):
    await desk.open()
    await desk.add("Tiny")
    click(qtbot, get(desk.window, "Start with…"))
    dialog = await opened(desk, StartWithDialog)
    dialog.findChild(QAbstractSpinBox, "field_context_size").setValue(4096)
    click(qtbot, get(dialog, "Start"))
    panel = await desk.panel_in("Tiny", "Healthy")
    assert "-c 4096" in panel.server.state.command_line


async def test_stop_all_stops_all(desk):
    await desk.open()
    for name in ("A", "B"):
        desk.app.launch.start((await desk.add(name)).id)
        await desk.panel_in(name, "Healthy")
    desk.window.findChild(QAction, "stop_all").trigger()
    await desk.panel_in("A", "Stopped")
    await desk.panel_in("B", "Stopped")


async def test_servers_of_an_earlier_session_are_announced(desk, tmp_path):
    model = desk.files.make("old.gguf", some_facts("Old"))
    async with MockRunner(tmp_path / "data", timings=TIMINGS) as earlier:
        await earlier.start(ServerConfig(1, "Old", model, 9000))
    await desk.open()
    panel = await desk.panel_in("Old", "Healthy")
    assert "Reconnected to 1 server left running earlier." in banner(desk)
    assert "taken over" in text_of(panel)


async def test_what_went_wrong_is_said_in_a_line_that_can_be_closed(desk, qtbot):
    await desk.open()
    desk.app.failed.emit(LibraryError("the disk is full"))
    assert "The disk is full." in banner(desk)
    click(qtbot, get(desk.window, "Close message"))
    assert banner(desk) == ""


async def test_settings_open_from_button_and_menu(desk, qtbot):
    await desk.open()
    click(qtbot, get(desk.window, "Settings"))
    dialog = await opened(desk, SettingsDialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    await poll(lambda: not desk.window.findChildren(SettingsDialog))
    desk.window.findChild(QAction, "settings").trigger()
    dialog = await opened(desk, SettingsDialog)
    dialog.reject()
    await poll(lambda: not desk.window.findChildren(SettingsDialog))


async def test_about_names_the_engine(desk):
    await desk.open()
    desk.window.findChild(QAction, "about").trigger()
    dialog = await opened(desk, AboutDialog)
    assert "/usr/bin/llama-server" in text_of(dialog)
    dialog.reject()
    await poll(lambda: not desk.window.findChildren(AboutDialog))


async def test_a_model_is_taken_off_the_list(desk):
    await desk.open()
    model = await desk.add("Tiny")
    desk.window.findChild(QAction, "remove_model").trigger()
    await poll(lambda: desk.library.models == ())
    assert model.path.exists()
    await poll(lambda: "No models yet" in text_of(desk.window))


async def test_a_model_that_was_taken_off_the_list_comes_back_with_a_press(desk, qtbot):
    await desk.open()
    for name in ("First", "Second", "Third"):
        await desk.add(name)
    (first, second, third) = desk.library.models
    desk.models.request(second.id)
    undo = desk.window.findChild(QPushButton, "undo")
    desk.window.findChild(QAction, "remove_model").trigger()
    await poll(lambda: banner(desk) == "Second was removed from the list. Its file stays.")
    assert desk.models.selected.id == third.id, "a second press does not take one from the top of the list"
    desk.app.failed.emit(LibraryError("the disk is full"))
    assert banner(desk).endswith("Second was removed from the list. Its file stays.")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    await poll(lambda: desk.library.models == (first, second, third))
    assert desk.models.selected.id == second.id
    assert not undo.isVisible()
    assert "removed" not in banner(desk)


async def test_a_file_known_to_be_broken_is_not_started_and_one_learns_why(desk, qtbot):
    await desk.open()
    path = desk.files.make("broken.gguf")
    desk.app.library.add([path])
    await poll(lambda: desk.models.selected is not None)
    desk.window.findChild(QAction, "start").trigger()
    await poll(lambda: banner(desk).startswith("Not started: broken.gguf cannot be used as a model."))
    assert not desk.app.servers.panels
    assert desk.window.findChild(QPushButton, "showBroken").isVisible()
    qtbot.mouseClick(desk.window.findChild(QPushButton, "removeBroken"), Qt.MouseButton.LeftButton)
    await poll(lambda: not desk.library.models)
    assert path.exists()


async def test_a_broken_file_that_is_well_again_starts(desk):
    await desk.open()
    desk.app.library.add([desk.files.make("broken.gguf")])
    await poll(lambda: desk.models.selected is not None)
    assert desk.library.models[0].problem is not None
    desk.files.make("broken.gguf", some_facts("Well"))
    desk.window.findChild(QAction, "start").trigger()
    await desk.panel_in("Well", "Healthy")
    assert desk.library.models[0].problem is None


async def test_how_many_models_came_and_are_there_is_said(desk):
    await desk.open()
    count = desk.window.findChild(QLabel, "modelCount")
    assert not count.isVisible()
    desk.app.library.add([desk.files.make(f"{number}.gguf", some_facts(f"Model {number}")) for number in (3, 1, 2)])
    await poll(lambda: banner(desk) == "3 models added")
    assert count.text() == "3 models"
    desk.models.search("2.gguf")
    assert count.text() == "1 of 3 models"


async def until_told(desk: Desk, text: str) -> None:
    await poll(lambda: banner(desk) == text)


async def test_a_scan_says_how_many_models_are_new(desk):
    await desk.open()
    await poll(lambda: not desk.app.library.scan.is_busy)
    assert banner(desk) == "", "at the start, when there is nothing new"
    desk.app.library.add([desk.files.make("folder/1.gguf", some_facts("One")).parent])
    await poll(lambda: len(desk.library.models) == 1)
    scan = desk.window.findChild(QAction, "scan")
    for news, files in (("No new models found", ""), ("1 new model found", "2"), ("2 new models found", "34")):
        for name in files:
            desk.files.make(f"folder/{name}.gguf", some_facts(name))
        await poll(lambda: not desk.app.library.scan.is_busy)
        scan.trigger()
        await until_told(desk, news)


async def test_a_scan_that_was_stopped_does_not_say_that_nothing_is_new(desk):
    await desk.open()
    await poll(lambda: not desk.app.library.scan.is_busy)
    told: list[int] = []
    desk.app.library.scanned.connect(told.append)
    desk.window.findChild(QAction, "scan").trigger()
    desk.app.library.stop_scan()
    await poll(lambda: not desk.app.library.scan.is_busy)
    assert told == []


async def test_a_scan_at_the_start_tells_of_new_models_alone(desk):
    folder = desk.files.make("folder/1.gguf", some_facts("One")).parent
    await desk.library.add([folder])
    desk.files.make("folder/2.gguf", some_facts("Two"))
    await desk.open()
    await poll(lambda: banner(desk) == "1 new model found")


async def test_folders_can_be_removed_and_models_brought_back_in_the_settings(desk, qtbot):
    await desk.open()
    path = desk.files.make("folder/one.gguf", some_facts("One"))
    desk.app.library.add([path.parent])
    await poll(lambda: desk.library.models)
    desk.app.library.remove(desk.library.models[0].id)
    await poll(lambda: not desk.library.models)
    desk.window.findChild(QAction, "settings").trigger()
    dialog = await opened(desk, SettingsDialog)
    folders, removed = (dialog.findChild(QListWidget, name) for name in ("modelFolders", "removedModels"))
    await poll(lambda: (folders.count(), removed.count()) == (1, 1))
    assert folders.item(0).text() == str(path.parent)
    dialog.findChild(QPushButton, "bringBack").click()
    await poll(lambda: [model.name for model in desk.library.models] == ["One"])
    pause = dialog.findChild(QPushButton, "pauseFolder")
    pause.click()
    await poll(lambda: folders.item(0).text() == f"{path.parent} (paused)")
    assert pause.text() == pause.accessibleName() == "Resume folder"
    desk.files.make("folder/two.gguf", some_facts("Two"))
    await desk.library.scan()
    assert len(desk.library.models) == 1
    pause.click()
    await poll(lambda: len(desk.library.models) == 2)
    assert (pause.text(), folders.item(0).text()) == ("Pause folder", str(path.parent))
    dialog.findChild(QPushButton, "removeFolder").click()
    await poll(lambda: (folders.count(), removed.count()) == (0, 0))
    assert not dialog.findChild(QPushButton, "removeFolder").isEnabled()
    assert list(await desk.library.folders.added()) == []
    assert len(desk.library.models) == 2, "what was found there stays"
    dialog.reject()
    await poll(lambda: not desk.window.findChildren(SettingsDialog))


# -- closing, dropping, sizes, keys


async def test_closing_asks_and_the_window_stays(desk):
    await desk.open()
    asked: list[None] = []
    desk.window.closeRequested.connect(lambda: asked.append(None))
    event = QCloseEvent()
    QApplication.sendEvent(desk.window, event)
    assert not event.isAccepted()
    assert len(asked) == 1
    assert not desk.window.close()
    desk.window.findChild(QAction, "quit").trigger()
    assert len(asked) == 3
    assert desk.window.isVisible()


async def test_the_question_before_quitting_names_the_servers_and_gives_the_answer(desk, qtbot):
    await desk.open()
    for name in ("Tiny", "Phi"):
        model = await desk.add(name)
        desk.app.launch.start(model.id)
        await desk.panel_in(name, "Healthy")
    asking = desk.app._scope.start(desk.window.confirm_quit(2), name="question")
    dialog = await opened(desk, QuitDialog)
    assert dialog.windowTitle() == "Quit GGLib Desktop"
    assert text(dialog, "quitServers") == "Tiny, Phi"
    click(qtbot, get(dialog, "Cancel"))
    assert await asking == (None, False)


def drop(desk: Desk, *urls: QUrl) -> bool:
    """Drags and drops; whether it was taken."""
    data = QMimeData()
    data.setUrls(list(urls))
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(desk.window.rect().center(), Qt.DropAction.CopyAction, data, buttons, keys)
    enter.ignore()
    QApplication.sendEvent(desk.window, enter)
    if enter.isAccepted():
        place = QPointF(desk.window.rect().center())
        QApplication.sendEvent(desk.window, QDropEvent(place, Qt.DropAction.CopyAction, data, buttons, keys))
    return enter.isAccepted()


@pytest.mark.filterwarnings("ignore:Function. .QD:DeprecationWarning")  # 6.12 deprecates the only constructors
async def test_files_and_folders_can_be_dropped_and_web_pages_cannot(desk):
    await desk.open()
    path = desk.files.make("dropped.gguf", some_facts("Dropped"))
    assert not drop(desk, QUrl("https://example.org/model.gguf"))
    assert drop(desk, QUrl.fromLocalFile(str(path)))
    await poll(lambda: desk.models.selected is not None and desk.models.selected.name == "Dropped")
    inside = desk.files.make("folder/deep/inside.gguf", some_facts("Inside"))
    assert drop(desk, QUrl("https://example.org/model.gguf"), QUrl.fromLocalFile(str(inside.parent.parent)))
    await poll(lambda: {model.name for model in desk.library.models} == {"Dropped", "Inside"})
    assert await desk.library.folders.added() == [inside.parent.parent]


async def test_it_fits_a_small_screen(desk):
    await every_kind_of_panel(desk)
    hint = desk.window.minimumSizeHint()
    assert (hint.width(), hint.height()) <= (800, 600)
    desk.window.resize(800, 600)
    await poll(lambda: desk.window.size().toTuple() == (800, 600))
    servers = desk.window.findChild(QScrollArea, "servers")
    assert servers is not None
    assert not servers.verticalScrollBar().isVisible(), "one panel is open, the other is a line"
    for panel in desk.window.findChildren(ServerPanel):
        assert panel.minimumSizeHint().width() <= servers.viewport().width(), "nothing is cut off at the right"
    assert not servers.horizontalScrollBar().isVisible()


async def test_with_letters_that_are_too_large_for_a_small_screen_every_button_can_be_reached(desk, qtbot):
    await desk.open()
    model = await desk.add()
    font = QApplication.font()
    large = QApplication.font()
    large.setPointSizeF(font.pointSizeF() * 2)
    QApplication.setFont(large)
    try:
        desk.app.launch.start(model.id)
        panel = await desk.panel_in("Tiny", "Healthy")
        desk.window.resize(800, 600)
        servers = child(desk.window, QScrollArea, "servers")
        for name in ("stop", "copyEndpoint", "restart"):
            button = child(panel, QPushButton, name)
            servers.ensureWidgetVisible(button)
            QApplication.processEvents()
            assert button.visibleRegion().boundingRect().size() == button.size()
    finally:
        QApplication.setFont(font)


@pytest.mark.parametrize(
    ("keys", "name"),
    [("Ctrl+Return", "start"), ("Ctrl+F", "find"), ("Ctrl+.", "stop"), ("Ctrl+R", "restart"), ("Ctrl+Q", "quit")],
)
async def test_keys_for_the_most_common_actions(desk, keys, name):
    await desk.open()
    assert desk.window.findChild(QAction, name).shortcut() == QKeySequence(keys)


async def test_a_new_window_is_no_larger_than_the_screen(desk):
    await desk.open()
    available = desk.window.screen().availableSize()
    assert available.width() < 1100, "else this proves nothing"
    assert desk.window.frameSize().boundedTo(available) == desk.window.frameSize()


async def test_the_window_comes_back_where_it_was(desk, tmp_path):
    await desk.open()
    # Not larger than the screen of these tests.
    desk.window.resize(788, 640)
    await poll(lambda: desk.window.width() == 788)
    desk.window.close_for_good()
    assert not desk.window.isVisible()
    again = type(desk.window)(desk.app, desk.window._geometry, tmp_path)
    assert again.size().toTuple() == (788, 640)
    again.close_for_good()
    delete(again)


async def test_tab_goes_through_the_window_as_it_is_read(desk):
    await every_kind_of_panel(desk)
    stops, widget = [], desk.window.nextInFocusChain()
    while widget is not desk.window:
        # Tab leaves out what hands the focus on, as a tab widget does to its bar.
        is_stop = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
        if is_stop and widget.objectName():
            stops.append(widget)
        widget = widget.nextInFocusChain()
    names = [stop.objectName() for stop in stops]
    assert names[:5] == ["addModelsButton", "startButton", "startAnotherButton", "startWithButton", "settingsButton"]
    first = names.index("searchModels")
    assert names[first : first + 4] == ["searchModels", "filterModels", "sortModels", "models"]
    assert names.index("models") < names.index("fold")
    assert names[-1] == "foldForeign", "also after panels that came later"
    panels = [desk.panel("Healthy"), desk.panel("Failed")]
    owners = [index for stop in stops for index, panel in enumerate(panels) if panel.isAncestorOf(stop)]
    assert owners == sorted(owners)
    assert "servers" not in names, "the area that scrolls is no stop"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
async def test_enter_presses_the_button_that_has_the_keyboard(desk, qtbot, key):
    await desk.open()
    await desk.add("Tiny")
    desk.window.activateWindow()
    start = get(desk.window, "Start")
    start.setFocus()
    await poll(lambda: QApplication.focusWidget() is start)
    qtbot.keyClick(start, key)
    panel = await desk.panel_in("Tiny", "Healthy")
    stop = panel.findChild(QAbstractButton, "stop")
    stop.setFocus()
    qtbot.keyClick(stop, key)
    await desk.panel_in("Tiny", "Stopped")
    desk.app.failed.emit(LibraryError("the disk is full"))
    close = get(desk.window, "Close message")
    close.setFocus()
    qtbot.keyClick(close, key)
    assert banner(desk) == ""


async def test_a_model_with_a_server_stays_in_the_list(desk):
    await desk.open()
    desk.start(await desk.add("Tiny"))
    await desk.panel_in("Tiny", "Healthy")
    desk.window.findChild(QAction, "remove_model").trigger()
    await poll(lambda: "stop its server first" in banner(desk).lower())
    assert len(desk.library.models) == 1


@pytest.mark.parametrize(("action", "name"), [("add_models", "addModelsDialog"), ("add_folder", "addFolderDialog")])
async def test_without_a_home_folder_models_are_looked_for_elsewhere(desk, homeless, action, name):
    await desk.open()
    desk.window.findChild(QAction, action).trigger()
    dialog = await opened(desk, QFileDialog)
    assert dialog.objectName() == name
    assert dialog.directory().exists()
    dialog.reject()
    await poll(lambda: not desk.window.findChildren(QFileDialog))


@pytest.mark.parametrize(("action", "name"), [("add_models", "addModelsDialog"), ("add_folder", "addFolderDialog")])
async def test_models_are_looked_for_where_the_selected_one_is_or_at_home(desk, action, name):
    await desk.open()
    for expected in (Path.home(), desk.files.make("first.gguf", some_facts("First")).parent):
        desk.window.findChild(QAction, action).trigger()
        dialog = await opened(desk, QFileDialog)
        assert dialog.objectName() == name
        assert Path(dialog.directory().absolutePath()) == expected
        dialog.reject()
        await poll(lambda: not desk.window.findChildren(QFileDialog))
        await desk.add("First")
