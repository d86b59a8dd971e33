"""Sorting and filtering the list by menus, and what is said about it."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QWidget

from gglib_desktop.domain.gguf.header import ModelFacts
from gglib_desktop.viewmodels.models.model_row import SortKey
from gglib_desktop.views.models.menus import SortMenu
from tests.fakes.accessibility import Role, names
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll, tasks_done
from tests.ui.conftest import Desk, text_of
from tests.ui.finding import child
from tests.ui.models.test_model_list_view import filled, search, selected, shown

GIB = 2**30


def facts(name: str, quantisation: str, gib: int, **capabilities: str) -> ModelFacts:
    known = some_facts(name, quantisation=quantisation)
    return replace(known, file_size_bytes=gib * GIB, capabilities=tuple(capabilities.items()))


def menu(desk: Desk, button: str) -> QMenu:
    found = child(desk.window, QToolButton, button).menu()
    assert found is not None
    return found


def entries(top: QMenu) -> dict[str, QAction]:
    """All entries of a menu and those below it, by their object names."""
    found: dict[str, QAction] = {}
    for action in top.actions():
        found[action.objectName()] = action
        below = action.menu()
        if isinstance(below, QMenu):
            found.update(entries(below))
    return found


def texts(top: QMenu, name: str) -> list[str]:
    below = entries(top)[name].menu()
    assert isinstance(below, QMenu)
    return [action.text() for action in below.actions()]


@pytest.fixture
async def various(desk: Desk) -> Desk:
    await desk.open()
    await desk.add("Seer", facts("Seer", "Q4_K_M", 5, vision="a mark", moe="experts"))
    await desk.add("Mixed", facts("Mixed", "Q8_0", 20, moe="experts", reasoning="a mark"))
    await desk.add("Plain", facts("Plain", "Q4_K_M", 1))
    desk.app.library.add([desk.files.make("broken.gguf")])
    await poll(lambda: len(shown(desk)) == 4)
    await tasks_done("add models")
    return desk


# -- sorting


async def test_the_sort_menu_sorts(desk):
    await filled(desk)
    actions = entries(menu(desk, "sortModels"))
    assert actions["sort_added"].isChecked()
    actions["sort_name"].trigger()
    assert shown(desk) == ["Gemma", "Qwen Large", "Qwen Small"]
    actions["sort_descending"].trigger()
    assert shown(desk) == ["Qwen Small", "Qwen Large", "Gemma"]
    assert selected(desk) == ["Gemma"]
    assert {name for name, action in actions.items() if action.isChecked()} == {"sort_name", "sort_descending"}


async def test_large_and_late_things_come_first(desk):
    await filled(desk)
    actions = entries(menu(desk, "sortModels"))
    await desk.library.note_used(desk.library.models[1].id)
    actions["sort_last_used"].trigger()
    assert shown(desk)[0] == "Qwen Small"
    assert actions["sort_descending"].isChecked()
    actions["sort_name"].trigger()
    assert actions["sort_ascending"].isChecked()


async def test_the_order_is_remembered(desk, qtbot, tmp_path):
    await filled(desk)
    file = str(tmp_path / "order.ini")
    parent = QWidget()
    qtbot.addWidget(parent)
    first = SortMenu(desk.models, QSettings(file, QSettings.Format.IniFormat), parent)
    entries(first)["sort_size"].trigger()
    desk.models.order.sort(SortKey.ADDED, descending=False)
    entries(first)["sort_parameters"].trigger()
    entries(first)["sort_ascending"].trigger()
    again = QSettings(file, QSettings.Format.IniFormat)
    first.deleteLater()
    desk.models.order.changed.disconnect(first._on_sorted)
    desk.models.order.sort(SortKey.ADDED, descending=True)
    SortMenu(desk.models, again, parent)
    assert (desk.models.order.key, desk.models.order.descending) == (SortKey.PARAMETERS, False)


@pytest.mark.parametrize("stored", ["nonsense", "", None, ["size"]])
async def test_without_an_order_that_can_be_read_names_decide(desk, qtbot, tmp_path, stored):
    settings = QSettings(str(tmp_path / "order.ini"), QSettings.Format.IniFormat)
    settings.setValue("sort", stored)
    parent = QWidget()
    qtbot.addWidget(parent)
    SortMenu(desk.models, settings, parent)
    assert (desk.models.order.key, desk.models.order.descending) == (SortKey.NAME, False)


# -- filtering


def filter_text(desk: Desk) -> str:
    label = child(desk.window, QLabel, "filterText")
    return label.text() if label.isVisible() else ""


async def test_the_filter_offers_what_the_library_holds(various):
    top = menu(various, "filterModels")
    assert texts(top, "filter_capability") == ["MoE", "Vision", "Reasoning"]
    assert texts(top, "filter_quantisation") == ["Q4_K_M", "Q8_0"]
    assert texts(top, "filter_size") == ["Under 4 GiB", "4 to 8 GiB", "16 to 32 GiB"]
    assert texts(top, "filter_file") == ["Usable", "Broken"]
    assert not entries(top)["filter_folder"].isEnabled(), "all of them lie elsewhere"
    assert not entries(top)["clear_filter"].isEnabled()


async def test_a_filter_narrows_the_list_and_is_said(various, qtbot):
    actions = entries(menu(various, "filterModels"))
    actions["filter_capability_moe"].trigger()
    assert shown(various) == ["Seer", "Mixed"]
    assert filter_text(various) == "2 of 4: MoE"
    actions["filter_quantisation_Q8_0"].trigger()
    assert shown(various) == ["Mixed"]
    actions["filter_quantisation_Q4_K_M"].trigger()
    assert shown(various) == ["Seer", "Mixed"]
    assert filter_text(various) == "2 of 4: MoE, Q4_K_M or Q8_0"
    assert f"Filter: {filter_text(various)}" in names(various.window, Role.StaticText)
    assert "Clear filter" in names(various.window, Role.Button)
    child(various.window, QToolButton, "clearFilter").click()
    assert "Clear filter" not in names(various.window, Role.Button)
    assert len(shown(various)) == 4
    assert filter_text(various) == ""
    assert not any(action.isChecked() for action in actions.values())


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
async def test_a_menu_stays_open_while_several_things_are_chosen(various, qtbot):
    below = entries(menu(various, "filterModels"))["filter_quantisation"].menu()
    assert isinstance(below, QMenu)
    first, second = below.actions()
    below.popup(various.window.pos())
    qtbot.mouseClick(below, Qt.MouseButton.LeftButton, pos=below.actionGeometry(first).center())
    below.setActiveAction(second)
    qtbot.keyClick(below, Qt.Key.Key_Space)
    assert below.isVisible()
    assert first.isChecked()
    assert second.isChecked()
    assert filter_text(various) == "3 of 4: Q4_K_M or Q8_0"
    qtbot.keyClick(below, Qt.Key.Key_Return)
    assert not below.isVisible()
    assert not second.isChecked()


async def test_the_menu_bar_has_the_same_menus(various):
    view = next(entry.menu() for entry in various.window.menuBar().actions() if entry.text() == "&View")
    below = entries(view)
    assert below["filter_capability_moe"] is entries(menu(various, "filterModels"))["filter_capability_moe"]
    assert "sort_last_used" in below
    assert below["clear_filter"].shortcut().toString()


async def test_where_nothing_is_left_the_reason_is_said(various):
    entries(menu(various, "filterModels"))["filter_capability_vision"].trigger()
    search(various).setText("mixed")
    assert "No models match both your search and the filter." in text_of(various.window)
    search(various).clear()
    entries(menu(various, "filterModels"))["filter_quantisation_Q8_0"].trigger()
    assert "No models match the filter." in text_of(various.window)
    child(various.window, QToolButton, "clearFilter").click()
    search(various).setText("xyzzy")
    assert "No models match your search." in text_of(various.window)


async def test_what_is_added_is_selected_even_while_a_filter_hides_it(various):
    entries(menu(various, "filterModels"))["filter_capability_vision"].trigger()
    await various.add("New", facts("New", "F16", 1))
    assert selected(various) == ["New"]
    assert filter_text(various) == ""


async def test_what_is_chosen_can_be_taken_back_when_the_last_such_model_has_gone(various):
    entries(menu(various, "filterModels"))["filter_capability_vision"].trigger()
    various.app.library.remove(various.models.selected.id)
    await poll(lambda: various.models.total == 3)
    assert filter_text(various) == "0 of 3: Vision"
    entries(menu(various, "filterModels"))["filter_capability_vision"].trigger()
    assert len(shown(various)) == 3


async def test_folders_are_those_that_were_added(various, tmp_path):
    folder = Path(various.files.make("deep & wide/below/inside.gguf", facts("Inside", "F16", 1))).parents[1]
    various.app.library.add([folder])
    await poll(lambda: "Inside" in shown(various))
    await tasks_done("add models")
    top = menu(various, "filterModels")
    assert texts(top, "filter_folder") == [str(folder).replace("&", "&&"), "Elsewhere"]
    inside, elsewhere = (action for name, action in entries(top).items() if name.startswith("filter_folder_"))
    inside.trigger()
    assert shown(various) == ["Inside"]
    assert filter_text(various) == f"1 of 5: {folder}"
    inside.trigger()
    elsewhere.trigger()
    assert len(shown(various)) == 4
    inside.trigger()
    assert len(shown(various)) == 5
    entries(top)["clear_filter"].trigger()
    await various.library.folders.remove(folder)
    assert texts(top, "filter_folder") == ["Elsewhere"]


async def test_without_a_home_folder_folders_are_written_whole(various, homeless):
    folder = Path(various.files.make("some/inside.gguf", facts("Inside", "F16", 1))).parent
    various.app.library.add([folder])
    await poll(lambda: "Inside" in shown(various))
    await tasks_done("add models")
    assert texts(menu(various, "filterModels"), "filter_folder")[0] == str(folder)


async def test_the_own_home_is_written_short(various, monkeypatch):
    folder = Path(various.files.make("some/inside.gguf", facts("Inside", "F16", 1))).parent
    monkeypatch.setenv("HOME", str(folder.parent))
    various.app.library.add([folder])
    await poll(lambda: "Inside" in shown(various))
    await tasks_done("add models")
    assert texts(menu(various, "filterModels"), "filter_folder")[0] == "~/some"
