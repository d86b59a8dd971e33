"""The choice of presets above a form, and the dialog that manages them, as people use both."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import delete

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.launch.presets import PresetsViewModel
from gglib_desktop.views.launch.dialog import ModelDefaultsDialog, StartWithDialog
from gglib_desktop.views.launch.presets.bar import PresetBar
from gglib_desktop.views.settings.dialog import SettingsDialog
from gglib_desktop.views.words.presets import file_name_for
from tests.fakes.accessibility import Role, names
from tests.fakes.presets import PresetForm, preset_form
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore, settings_form
from tests.fakes.waiting import poll, tasks_done

W = TypeVar("W", bound=QWidget)
LONG = LaunchOptions(context_size=131072)


@pytest.fixture
async def stored(qapp, data_dir) -> AsyncIterator[PresetForm]:
    async with preset_form(data_dir) as stored:
        await stored.presets.create("long context", LONG, None)
        await stored.presets.create("mine", LaunchOptions(parallel=1), stored.model_id)
        yield stored


@pytest.fixture
async def bar(stored, qtbot, bugs) -> AsyncIterator[QWidget]:
    """A dialog with the bar in it, once the presets are read."""
    async with TaskScope(bugs) as scope:
        presets = PresetsViewModel(stored.presets, stored.form, scope)
        dialog = QDialog()
        QVBoxLayout(dialog).addWidget(PresetBar(presets))
        qtbot.addWidget(dialog)
        dialog.show()
        await poll(lambda: len(entries(dialog)) == 3)
        yield dialog
        dialog.close()


def find(top: QWidget, kind: type[W], name: str) -> W:
    found = top.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def entries(top: QWidget) -> list[str]:
    box = find(top, QComboBox, "preset")
    return [box.itemText(place) for place in range(box.count())]


def chosen(top: QWidget) -> str:
    return find(top, QComboBox, "preset").currentText()


def choose(top: QWidget, text: str) -> None:
    box = find(top, QComboBox, "preset")
    box.setCurrentIndex(box.findText(text))


def press(qtbot, top: QWidget, name: str) -> None:
    button = find(top, QPushButton, name)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


async def opened(top: QWidget, kind: type[W], name: str) -> W:
    """A dialog, once it is there to be used."""
    await poll(lambda: any(each.isVisible() for each in top.findChildren(kind, name)))
    return find(top, kind, name)


async def gone(top: QWidget, name: str) -> None:
    await poll(lambda: not top.findChildren(QDialog, name))


def said(top: QWidget, name: str) -> str:
    return find(top, QLabel, name).text()


# -- choosing


async def test_the_models_own_and_those_for_all_are_offered(bar):
    assert entries(bar) == ["No preset", "mine", "long context (all models)"]
    assert names(bar, Role.Button) == ["Undo", "Update", "Save as…", "Manage presets…"]
    assert not any(find(bar, QPushButton, name).isEnabled() for name in ("presetUndo", "presetUpdate"))


async def test_choosing_fills_the_form_and_back(bar, stored, qtbot):
    stored.form.edit(threads=3)
    choose(bar, "long context (all models)")
    assert stored.form.draft == LONG
    choose(bar, "No preset")
    assert stored.form.draft == LaunchOptions(threads=3)
    choose(bar, "mine")
    press(qtbot, bar, "presetUndo")
    assert stored.form.draft == LaunchOptions(threads=3)
    assert chosen(bar) == "No preset"


async def test_a_changed_preset_says_so_and_can_be_updated(bar, stored, qtbot):
    choose(bar, "mine")
    stored.form.edit(parallel=2)
    assert chosen(bar) == "mine, changed"
    press(qtbot, bar, "presetUpdate")
    await poll(lambda: chosen(bar) == "mine")
    assert not find(bar, QPushButton, "presetUpdate").isEnabled()
    (mine, _long) = await stored.presets.listed(stored.model_id)
    assert mine.options == LaunchOptions(parallel=2)


async def test_keys_do_not_get_into_a_preset(bar, stored, qtbot):
    choose(bar, "mine")
    stored.form.edit(extra_args=("--hf-token", "s3cret"))
    press(qtbot, bar, "presetUpdate")
    await poll(find(bar, QLabel, "presetProblem").isVisible)
    assert "no place for a key" in said(bar, "presetProblem")
    assert "s3cret" not in said(bar, "presetProblem")
    stored.form.edit(extra_args=None)
    assert not find(bar, QLabel, "presetProblem").isVisible()


async def test_what_cannot_be_read_cannot_be_saved(bar, stored):
    stored.form.type_text("extra_args", "'")
    assert not find(bar, QPushButton, "presetSaveAs").isEnabled()
    stored.form.type_text("extra_args", "")
    assert find(bar, QPushButton, "presetSaveAs").isEnabled()


# -- saving


async def test_saving_as_a_preset_of_the_model(bar, stored, qtbot):
    stored.form.edit(threads=3)
    press(qtbot, bar, "presetSaveAs")
    dialog = await opened(bar, QDialog, "presetNameDialog")
    assert not find(dialog, QPushButton, "presetNameSave").isEnabled()
    assert find(dialog, QRadioButton, "presetForModel").isChecked()
    assert "Only Tiny" in names(dialog, Role.RadioButton)
    assert dialog.focusWidget() is find(dialog, QLineEdit, "presetName")
    qtbot.keyClicks(find(dialog, QLineEdit, "presetName"), "Coding")
    press(qtbot, dialog, "presetNameSave")
    await gone(bar, "presetNameDialog")
    assert entries(bar) == ["No preset", "Coding", "mine", "long context (all models)"]
    assert chosen(bar) == "Coding"


async def test_a_name_that_is_taken_is_told_and_can_be_mended(bar, stored, qtbot):
    press(qtbot, bar, "presetSaveAs")
    dialog = await opened(bar, QDialog, "presetNameDialog")
    find(dialog, QRadioButton, "presetForAll").click()
    name = find(dialog, QLineEdit, "presetName")
    qtbot.keyClicks(name, "Long Context")
    press(qtbot, dialog, "presetNameSave")
    problem = find(dialog, QLabel, "presetNameProblem")
    await poll(problem.isVisible)
    assert "Another preset has this name" in problem.text()
    assert name.text() == "Long Context"
    qtbot.keyClicks(name, " 2")
    assert not problem.isVisible()
    qtbot.keyClick(name, Qt.Key.Key_Return)
    await gone(bar, "presetNameDialog")
    assert [each.name for each in await stored.presets.listed(None)] == ["long context", "Long Context 2"]


# -- managing


@pytest.fixture
async def manager(bar, qtbot) -> QDialog:
    press(qtbot, bar, "presetManage")
    return await opened(bar, QDialog, "presetsDialog")


def listed(manager: QDialog) -> list[str]:
    rows = find(manager, QListWidget, "presetList")
    return [rows.item(row).text() for row in range(rows.count())]


async def test_renaming(manager, bar, qtbot):
    assert listed(manager) == ["mine", "long context (all models)"]
    find(manager, QListWidget, "presetList").setCurrentRow(1)
    press(qtbot, manager, "presetRename")
    dialog = await opened(manager, QDialog, "presetNameDialog")
    name = find(dialog, QLineEdit, "presetName")
    assert name.text() == "long context"
    assert dialog.findChild(QRadioButton) is None, "whose it is stays"
    name.setText("huge")
    press(qtbot, dialog, "presetNameSave")
    await poll(lambda: listed(manager) == ["mine", "huge (all models)"])
    assert find(manager, QListWidget, "presetList").currentRow() == 1
    assert entries(bar)[2] == "huge (all models)"


async def test_a_name_is_text_whatever_it_looks_like(bar, stored, qtbot):
    await stored.presets.create("<b>bold</b>", LaunchOptions(), stored.model_id)
    press(qtbot, bar, "presetSaveAs")
    dialog = await opened(bar, QDialog, "presetNameDialog")
    find(dialog, QLineEdit, "presetName").setText("<B>BOLD</B>")
    press(qtbot, dialog, "presetNameSave")
    problem = find(dialog, QLabel, "presetNameProblem")
    await poll(problem.isVisible)
    assert "<B>BOLD</B>" in problem.text()
    assert problem.textFormat() is Qt.TextFormat.PlainText
    dialog.reject()
    await gone(bar, "presetNameDialog")


async def test_deleting_asks_first(manager, bar, stored, qtbot):
    press(qtbot, manager, "presetDelete")
    question = await opened(manager, QMessageBox, "presetDeleteDialog")
    assert "“mine”" in question.text()
    press(qtbot, question, "presetDeleteCancel")
    await gone(manager, "presetDeleteDialog")
    assert len(listed(manager)) == 2
    press(qtbot, manager, "presetDelete")
    press(qtbot, await opened(manager, QMessageBox, "presetDeleteDialog"), "presetDeleteNow")
    await poll(lambda: listed(manager) == ["long context (all models)"])
    assert entries(bar) == ["No preset", "long context (all models)"]


async def test_without_any_preset_it_says_how_to_make_one(manager, qtbot):
    hint = find(manager, QLabel, "presetsNone")
    assert not hint.isVisible()
    while listed(manager):
        press(qtbot, manager, "presetDelete")
        press(qtbot, await opened(manager, QMessageBox, "presetDeleteDialog"), "presetDeleteNow")
        await gone(manager, "presetDeleteDialog")
        await tasks_done("delete preset")
    assert hint.isVisible()
    assert "Save as…" in hint.text()


async def choose_file(manager: QDialog, path: Path) -> None:
    dialog = await opened(manager, QFileDialog, "presetFileDialog")
    find(dialog, QLineEdit, "fileNameEdit").setText(str(path))
    dialog.accept()
    await gone(manager, "presetFileDialog")


async def test_exporting_and_importing(manager, stored, qtbot, tmp_path):
    file = tmp_path / "shared.toml"
    press(qtbot, manager, "presetExportAll")
    await choose_file(manager, file)
    await poll(lambda: said(manager, "presetsNews").startswith("Exported to"))
    exported = file.read_text()
    assert exported.count("[[preset]]") == 2
    file.write_text(exported.replace("parallel = 1", "parallel = 5").replace("context_size", "context_sise"))
    press(qtbot, manager, "presetImport")
    await choose_file(manager, file)
    await poll(lambda: said(manager, "presetsNews").startswith("Imported: mine (2), long context (2)."))
    assert "context_sise (is context_size meant?)" in said(manager, "presetsNews")
    assert listed(manager) == ["mine", "mine (2)", "long context (all models)", "long context (2) (all models)"]


async def test_a_file_that_takes_long_may_outlast_the_dialog(manager, bar, stored, qtbot, tmp_path):
    file = tmp_path / "pipe.toml"
    os.mkfifo(file)  # reading it waits for a writer
    press(qtbot, manager, "presetImport")
    await choose_file(manager, file)
    manager.reject()
    await gone(bar, "presetsDialog")
    file.write_text("format = 1")
    await tasks_done("import presets")


@pytest.mark.parametrize("name", ["presetDelete", "presetExport", "presetImport", "presetRename"])
async def test_the_dialog_may_go_before_what_was_pressed_in_it_begins(manager, bar, qtbot, name):
    press(qtbot, manager, name)
    delete(manager)
    await tasks_done("manage presets")
    assert not bar.findChildren(QDialog)


async def test_only_the_selected_one_is_exported(manager, stored, qtbot, tmp_path):
    file = tmp_path / "one.toml"
    press(qtbot, manager, "presetExport")
    await choose_file(manager, file)
    await poll(file.exists)
    assert 'name = "mine"' in file.read_text()
    assert "long context" not in file.read_text()


async def test_a_bad_file_is_told_with_its_line(manager, stored, qtbot, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text("format = 1\n[[preset]]\nname = 'good'\noptions.parallel = 'many'\n")
    press(qtbot, manager, "presetImport")
    await choose_file(manager, file)
    await poll(lambda: said(manager, "presetsNews"))
    text = said(manager, "presetsNews")
    assert text.startswith("This file of presets cannot be used.")
    assert "line 4: preset.options.parallel: must be a whole number" in text
    assert text in names(manager, Role.StaticText)
    assert len(listed(manager)) == 2


# -- in the program


async def test_a_model_is_started_with_a_preset_which_comes_first_next_time(desk, qtbot):
    await desk.open()
    model = await desk.add("Tiny")
    preset = await desk.presets.create("coding", LaunchOptions(context_size=4096, threads=2), model.id)
    dialog = await start_with(desk)
    assert chosen(dialog) == "No preset"
    choose(dialog, "coding")
    press(qtbot, dialog, "startWithStart")
    panel = await desk.panel_in("Tiny", "Healthy")
    words = panel.server.state.command_line.split()
    assert (words[words.index("-c") + 1], words[words.index("-t") + 1]) == ("4096", "2")
    assert await desk.library.launch_options(model.id) == LaunchOptions(), "nothing is saved that nobody asked for"

    async def noted():
        return await desk.presets.last_used(model.id) == preset

    await poll(noted)
    dialog = await start_with(desk)
    await poll(lambda: chosen(dialog) == "coding")
    assert dialog.view_model.form.draft == preset.options
    choose(dialog, "No preset")
    assert dialog.view_model.form.draft == LaunchOptions()
    dialog.reject()
    await gone(desk.window, "startWithDialog")


async def test_a_models_defaults_can_come_from_a_preset_and_do_not_by_themselves(desk, qtbot):
    await desk.open()
    model = await desk.add("Tiny")
    preset = await desk.presets.create("coding", LaunchOptions(threads=2), None)
    await desk.presets.note_used(model.id, preset)
    dialog = ModelDefaultsDialog(await desk.app.launch.forms.of_model(model.id), desk.window)
    dialog.open()
    await poll(lambda: "coding (all models)" in entries(dialog))
    assert chosen(dialog) == "No preset"
    choose(dialog, "coding (all models)")
    press(qtbot, dialog, "modelDefaultsSave")

    async def saved():
        return await desk.library.launch_options(model.id) == LaunchOptions(threads=2)

    await poll(saved)


async def start_with(desk) -> StartWithDialog:
    find(desk.window, QPushButton, "startWithButton").click()
    dialog = await opened(desk.window, StartWithDialog, "startWithDialog")
    await poll(lambda: len(entries(dialog)) == 2)
    return dialog


@pytest.mark.parametrize(
    ("name", "file"),
    [("coding", "coding.toml"), ("a/b: c", "a-b-c.toml"), ("..", "preset.toml"), ("長い", "長い.toml")],
)
def test_file_names_are_ones_that_every_system_takes(name, file):
    assert file_name_for(name) == file


# -- for all models


async def test_the_defaults_for_all_models_are_filled_with_a_preset_and_become_one(stored, qtbot, bugs):
    async with TaskScope(bugs) as scope:
        store = FakeSettingsStore()
        dialog = SettingsDialog(settings_form(store, FakeEngineCatalog(), scope, presets=stored.presets))
        qtbot.addWidget(dialog)
        dialog.show()
        find(dialog, QTabWidget, "settingsPages").setCurrentIndex(1)
        await poll(lambda: entries(dialog) == ["No preset", "long context"])
        choose(dialog, "long context")
        press(qtbot, dialog, "presetSaveAs")
        name = await opened(dialog, QDialog, "presetNameDialog")
        find(name, QLineEdit, "presetName").setText("twin")
        press(qtbot, name, "presetNameSave")
        await poll(lambda: chosen(dialog) == "twin")
        press(qtbot, dialog, "settingsSave")
        await poll(lambda: store.settings.defaults == LONG)
        assert [each.options for each in await stored.presets.listed(None)] == [LONG, LONG]
