"""The list of models: what is selected, what the keyboard does, and what is shown of each."""

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QTableView, QWidget

from gglib_desktop.viewmodels.models.model_list import RowRole
from gglib_desktop.views.models.row_painter import matches
from tests.fakes.accessibility import Role, get, seen_in
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll, tasks_done
from tests.ui.conftest import Desk, text_of


def table(desk: Desk) -> QTableView:
    found = get(desk.window, "Models", Role.Table)
    assert isinstance(found, QTableView)
    return found


def search(desk: Desk) -> QLineEdit:
    found = get(desk.window, "Search models", Role.EditableText)
    assert isinstance(found, QLineEdit)
    return found


def selected(desk: Desk) -> list[str]:
    """What the list itself has selected."""
    return [index.data(RowRole).name for index in table(desk).selectionModel().selectedIndexes()]


def shown(desk: Desk) -> list[str]:
    model = table(desk).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


async def filled(desk: Desk) -> None:
    await desk.open()
    for name in ("Qwen Large", "Qwen Small", "Gemma"):
        await desk.add(name)


def row_centre(desk: Desk, row: int) -> QPoint:
    return table(desk).visualRect(table(desk).model().index(row, 0)).center()


def right_click(desk: Desk, place: QPoint) -> None:
    viewport = table(desk).viewport()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, viewport.mapToGlobal(place))
    QApplication.sendEvent(viewport, event)


# -- selecting


async def test_what_was_added_last_is_selected(desk):
    await filled(desk)
    assert shown(desk) == ["Qwen Large", "Qwen Small", "Gemma"]
    assert selected(desk) == ["Gemma"]
    assert desk.models.selected.name == "Gemma"


async def test_a_click_selects(desk, qtbot):
    await filled(desk)
    qtbot.mouseClick(table(desk).viewport(), Qt.MouseButton.LeftButton, pos=row_centre(desk, 0))
    assert desk.models.selected.name == "Qwen Large"


async def test_assistive_technology_changes_the_selection_alone(desk):
    await filled(desk)
    model = table(desk).selectionModel()
    model.select(table(desk).model().index(1, 0), QItemSelectionModel.SelectionFlag.ClearAndSelect)
    assert desk.models.selected.name == "Qwen Small"


async def test_what_is_not_selected_cannot_be_started(desk):
    await filled(desk)
    table(desk).clearSelection()
    assert desk.models.selected is None
    assert not get(desk.window, "Start").isEnabled()
    assert not get(desk.window, "Start with…").isEnabled()


async def test_the_selection_stays_with_its_model(desk):
    await filled(desk)
    table(desk).selectRow(1)
    first = desk.library.models[0]
    desk.app.library.remove(first.id)
    await poll(lambda: len(shown(desk)) == 2)
    assert selected(desk) == ["Qwen Small"]
    desk.app.launch.start(desk.models.selected.id)
    await desk.panel_in("Qwen Small", "Healthy")
    assert selected(desk) == ["Qwen Small"]


async def test_when_the_selected_model_goes_another_is_selected(desk):
    await filled(desk)
    desk.app.library.remove(desk.models.selected.id)
    await poll(lambda: len(shown(desk)) == 2)
    assert len(selected(desk)) == 1
    assert desk.models.selected is not None


# -- searching


async def test_searching_narrows_the_list_by_every_word(desk, qtbot):
    await filled(desk)
    qtbot.keyClicks(search(desk), "small QWEN")
    assert shown(desk) == ["Qwen Small"]
    assert selected(desk) == ["Qwen Small"]
    search(desk).clear()
    assert shown(desk) == ["Qwen Large", "Qwen Small", "Gemma"]
    assert selected(desk) == ["Qwen Small"]


async def test_nothing_found_is_said(desk, qtbot):
    await filled(desk)
    qtbot.keyClicks(search(desk), "llama xyzzy")
    assert shown(desk) == []
    assert "No models match your search." in text_of(desk.window)
    assert "No models yet" not in text_of(desk.window)
    assert not get(desk.window, "Start").isEnabled()
    search(desk).clear()
    assert "No models match your search." not in text_of(desk.window)


async def test_what_is_added_is_selected_even_while_a_search_hides_it(desk, qtbot):
    await filled(desk)
    qtbot.keyClicks(search(desk), "qwen")
    await desk.add("Phi")
    assert selected(desk) == ["Phi"]
    assert "Phi" in shown(desk)


# -- keys and the mouse


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
async def test_enter_in_the_list_starts(desk, qtbot, key):
    await filled(desk)
    qtbot.keyClick(table(desk), key)
    await desk.panel_in("Gemma", "Healthy")


async def test_enter_in_the_search_field_starts_what_was_found(desk, qtbot):
    await filled(desk)
    qtbot.keyClicks(search(desk), "large")
    qtbot.keyClick(search(desk), Qt.Key.Key_Return)
    await desk.panel_in("Qwen Large", "Healthy")


async def test_typing_in_the_list_searches(desk, qtbot):
    await filled(desk)
    desk.window.activateWindow()
    table(desk).setFocus()
    qtbot.keyClick(table(desk), Qt.Key.Key_G)
    assert search(desk).text() == "g"
    await poll(lambda: QApplication.focusWidget() is search(desk))
    qtbot.keyClicks(search(desk), "emma")
    assert shown(desk) == ["Gemma"]


async def test_arrow_keys_move_the_selection(desk, qtbot):
    await filled(desk)
    table(desk).selectRow(0)
    qtbot.keyClick(table(desk), Qt.Key.Key_Down)
    assert selected(desk) == ["Qwen Small"]


async def test_a_double_click_starts(desk):
    await filled(desk)
    viewport, place = table(desk).viewport(), row_centre(desk, 0)
    # As people do it: Qt makes a double click of two clicks only for native events.
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    await desk.panel_in("Qwen Large", "Healthy")


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
async def test_the_context_menu_repeats_the_menu_bar(desk):
    await filled(desk)
    right_click(desk, row_centre(desk, 0))

    def popped_up() -> QMenu | None:
        return next((m for m in desk.window.findChildren(QMenu) if m.isVisible()), None)

    menu = await poll(popped_up)
    assert menu is not None
    entries = {action.objectName() for action in menu.actions()}
    assert {"start", "start_with", "start_another", "details", "show_in_folder", "copy_path", "remove_model"} <= entries
    menu.close()


async def test_no_context_menu_beside_the_models(desk):
    await filled(desk)
    heard: list[QPoint] = []
    view = desk.window.findChild(QWidget, "models").parent().parent()
    view.menuRequested.connect(heard.append)
    right_click(desk, QPoint(5, table(desk).viewport().height() - 2))
    assert heard == []


# -- rows


async def test_a_row_is_called_by_its_model_and_says_its_facts(desk):
    await desk.open()
    await desk.add("Tiny", some_facts("Tiny", mtp_layers=1, quantisation="Q8_0"))
    (row,) = [node.name for node in seen_in(table(desk)) if node.name.startswith("Tiny")]
    assert row == "Tiny, Q8_0, 1.2 M params · 3.0 MiB · Llama · MTP"
    desk.app.launch.start(desk.library.models[0].id)
    await desk.panel_in("Tiny", "Healthy")
    (row,) = [node.name for node in seen_in(table(desk)) if node.name.startswith("Tiny")]
    assert row.endswith(", Healthy")


async def test_a_file_that_cannot_be_used_says_why(desk):
    await desk.open()
    desk.app.library.add([desk.files.make("bad.gguf")])
    await poll(lambda: shown(desk) == ["bad"])
    await tasks_done("add models")
    (row,) = [node.name for node in seen_in(table(desk)) if node.name.startswith("bad")]
    assert "this is not a GGUF file" in row
    index = table(desk).model().index(0, 0)
    assert "this is not a GGUF file" in index.data(Qt.ItemDataRole.ToolTipRole)


async def test_every_state_of_a_row_can_be_painted(desk):
    await filled(desk)
    desk.app.library.add([desk.files.make("bad.gguf")])
    await poll(lambda: "bad" in shown(desk))
    await tasks_done("add models")
    desk.app.launch.start(desk.library.models[0].id)
    await desk.panel_in("Qwen Large", "Healthy")
    for row in range(len(shown(desk))):
        table(desk).selectRow(row)
        picture = table(desk).grab().toImage()
        assert len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(20)}) > 2


# -- leaving the search field


async def focused(desk: Desk, widget: QWidget) -> None:
    desk.window.activateWindow()
    widget.setFocus()
    await poll(lambda: QApplication.focusWidget() is widget)


async def test_esc_clears_the_search_and_goes_to_the_list(desk, qtbot):
    await filled(desk)
    await focused(desk, search(desk))
    qtbot.keyClicks(search(desk), "nothing like this")
    assert shown(desk) == []
    qtbot.keyClick(search(desk), Qt.Key.Key_Escape)
    assert search(desk).text() == ""
    assert len(shown(desk)) == 3
    assert QApplication.focusWidget() is table(desk)


async def test_down_goes_from_the_search_to_what_was_found(desk, qtbot):
    await filled(desk)
    await focused(desk, search(desk))
    qtbot.keyClicks(search(desk), "nothing like this")
    qtbot.keyClick(search(desk), Qt.Key.Key_Down)
    assert QApplication.focusWidget() is search(desk), "there is nothing to go to"
    search(desk).setText("qwen")
    qtbot.keyClick(search(desk), Qt.Key.Key_Down)
    assert QApplication.focusWidget() is table(desk)
    assert len(selected(desk)) == 1
    assert len(shown(desk)) == 2


# -- sorting, places and what the context menu adds


async def test_the_selected_model_stays_where_it_is_seen(desk):
    await desk.open()
    paths = [desk.files.make(f"m{number:02}.gguf", some_facts(f"Model {number:02}")) for number in range(60)]
    desk.app.library.add(paths)
    await poll(lambda: len(shown(desk)) == 60)
    await tasks_done("add models")  # and selects what was added
    view = table(desk)
    view.selectRow(40)
    view.scrollTo(view.model().index(40, 0))
    before = view.rowViewportPosition(40)
    desk.app.library.remove(desk.library.models[3].id)
    await poll(lambda: len(shown(desk)) == 59)
    assert selected(desk) == ["Model 40"]
    assert view.rowViewportPosition(39) == before
    view.clearSelection()
    top = view.model().index(view.rowAt(0), 0).data()
    desk.app.library.remove(desk.library.models[3].id)
    await poll(lambda: len(shown(desk)) == 58)
    assert view.model().index(view.rowAt(0), 0).data() == top


def test_matches_are_found_whole_and_once():
    assert matches("Qwen3 Large", ("qwen", "n3", "arg")) == [(0, 5), (7, 10)]
    assert matches("aXa", ("a",)) == [(0, 1), (2, 3)]
    assert matches("Qwen", ()) == []
    assert matches("İ", ("i",)) == []


async def test_what_was_sought_is_marked_and_a_path_shown_where_it_matched(desk, qtbot):
    await filled(desk)

    def colours() -> set[str]:
        table(desk).clearSelection()
        picture = table(desk).viewport().grab().toImage()
        return {
            picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(min(picture.height(), 60))
        }

    marks = {"#ffe58a", "#574600"}
    assert not colours() & marks
    qtbot.keyClicks(search(desk), "qwen")
    assert colours() & marks
    search(desk).setText("large.gguf")
    assert colours() & marks
    table(desk).selectRow(0)
    assert not table(desk).grab().isNull()


async def test_keys_that_write_nothing_leave_the_search_alone(desk, qtbot):
    await filled(desk)
    search(desk).setText("qwen")
    qtbot.keyClick(table(desk), Qt.Key.Key_Backspace)
    qtbot.keyClick(table(desk), Qt.Key.Key_Delete)
    assert search(desk).text() == "qwen"
    qtbot.keyClick(table(desk), Qt.Key.Key_Escape)
    assert search(desk).text() == ""
    assert len(shown(desk)) == 3


async def test_badges_are_painted_at_the_end_of_the_second_line(desk):
    await desk.open()
    view = table(desk)

    def right_half(row: int) -> set[str]:
        area = view.visualRect(view.model().index(row, 0))
        area = area.adjusted(area.width() - 60, area.height() // 2 + 2, 0, -2)
        picture = view.viewport().grab(area).toImage()
        return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}

    await desk.add("With", some_facts("With", mtp_layers=1))
    await desk.add("Without", some_facts("Without"))
    # Wide enough for the facts to end before the badges begin.
    desk.window.resize(1100, 720)
    await poll(lambda: view.width() > 300)
    view.clearSelection()
    assert len(right_half(0)) > 1
    assert len(right_half(1)) == 1
    search(desk).setText("mtp")
    view.clearSelection()
    assert right_half(0) & {"#ffe58a", "#574600"}


# -- the keyboard


async def test_after_the_demo_model_was_made_the_keyboard_is_on_its_row(desk, qtbot):
    await desk.open()
    desk.window.activateWindow()
    demo = desk.window.findChild(QPushButton, "createDemoModel")
    demo.setFocus()
    qtbot.keyClick(demo, Qt.Key.Key_Space)
    await poll(lambda: selected(desk) == ["Demo model"])
    assert QApplication.focusWidget() is table(desk)
    qtbot.keyClick(table(desk), Qt.Key.Key_Return)
    await desk.panel_in("Demo model", "Healthy")


async def test_so_it_is_when_the_menu_made_it(desk):
    await desk.open()
    desk.window.findChild(QAction, "create_demo").trigger()
    await poll(lambda: selected(desk) == ["Demo model"])
    assert QApplication.focusWidget() is table(desk)


@pytest.mark.parametrize("models", [0, 1])
async def test_the_list_shows_that_it_has_the_keyboard(desk, models):
    await desk.open()
    for _model in range(models):
        await desk.add("Tiny")
    view = table(desk)
    pictures = []
    for widget in (desk.window.findChild(QWidget, "searchModels"), view):
        widget.setFocus()
        pictures.append(view.grab().toImage())
    assert pictures[0] != pictures[1]


async def test_a_button_that_gets_the_keyboard_back_from_a_menu_shows_it(desk):
    await desk.open()
    button = desk.window.findChild(QPushButton, "addModelsButton")
    desk.window.activateWindow()
    await poll(desk.window.isActiveWindow)
    # A simulated double click of an earlier test leaves it pressed.
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)
    desk.window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange, False)
    table(desk).setFocus(Qt.FocusReason.MouseFocusReason)
    button.setFocus(Qt.FocusReason.MenuBarFocusReason)
    assert desk.window.testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
