"""Taking a form's command line elsewhere, and filling the form with a pasted one, as people do both."""

from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gglib_desktop.domain.commandline.exports.export import ExportFormat, export
from gglib_desktop.domain.launch.options import LaunchOptions, MtpChoice
from gglib_desktop.views.launch.command_tools import CommandTools, PasteCommandDialog
from gglib_desktop.views.launch.dialog import StartWithDialog
from tests.fakes.accessibility import Role, names
from tests.fakes.forms import command_text, option_form
from tests.fakes.waiting import poll
from tests.ui.conftest import text_of
from tests.ui.finding import assert_all_named, child
from tests.ui.models.test_model_list_view import filled, table

W = TypeVar("W", bound=QWidget)
LINE = "$ llama-server -m /m/tiny.gguf -c 4096 -fa --spec-type draft-mtp --host localhost --nope 1 | tee log"


@pytest.fixture
def form():
    return option_form(draft={"threads": 3})


@pytest.fixture
def dialog(form, scope, qtbot):
    """A dialog with the tools in it."""
    QApplication.clipboard().clear()
    dialog = QDialog()
    QVBoxLayout(dialog).addWidget(CommandTools(command_text(form, scope)))
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def press(qtbot, top: QWidget, name: str) -> None:
    button = child(top, QPushButton, name)
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


async def opened(top: QWidget, kind: type[W]) -> W:
    await poll(lambda: any(each.isVisible() for each in top.findChildren(kind)))
    return next(each for each in top.findChildren(kind) if each.isVisible())


def choose(dialog: QDialog, text: str) -> None:
    box = child(dialog, QComboBox, "commandFormat")
    box.setCurrentIndex(box.findText(text))


def news(dialog: QDialog) -> str:
    label = child(dialog, QLabel, "commandNews")
    return label.text() if label.isVisible() else ""


def notes(top: QWidget, name: str) -> list[str]:
    box = child(top, QPlainTextEdit, name)
    return box.toPlainText().splitlines() if box.isVisible() else []


def test_everything_has_a_name(dialog):
    assert_all_named(dialog)
    assert {"Copy", "Save to file…", "Paste command line…"} <= set(names(dialog, Role.Button))


@pytest.mark.parametrize(
    ("entry", "form_of_line"),
    [
        ("Line for sh, bash and zsh", ExportFormat.SH),
        ("Line for PowerShell", ExportFormat.POWERSHELL),
        ("Shell script", ExportFormat.SCRIPT),
        ("systemd user unit", ExportFormat.SYSTEMD),
        ("docker run command", ExportFormat.DOCKER),
        ("docker compose file", ExportFormat.COMPOSE),
        ("Kubernetes manifest", ExportFormat.KUBERNETES),
        ("llama-swap configuration", ExportFormat.LLAMA_SWAP),
        ("llama-server router preset", ExportFormat.ROUTER_PRESET),
    ],
)
async def test_every_form_can_be_copied(qtbot, dialog, form, entry, form_of_line):
    choose(dialog, entry)
    press(qtbot, dialog, "commandCopy")
    assert QApplication.clipboard().text() == export(form.state.argv, form_of_line)
    assert news(dialog) == f"Copied: {entry}."
    form.edit(threads=4)
    assert news(dialog) == "", "it is not the same any more"


async def test_a_server_that_asks_for_a_key_says_where_the_key_goes(qtbot, dialog, form):
    choose(dialog, "docker compose file")
    form.edit(require_api_key=True)
    press(qtbot, dialog, "commandCopy")
    assert "    - LLAMA_API_KEY\n" in QApplication.clipboard().text()


async def test_a_format_that_cannot_hold_a_choice_says_which(qtbot, dialog, form):
    form.edit(chat_template="# a")
    QApplication.clipboard().setText("before")
    for button in ("commandCopy", "commandSave"):
        choose(dialog, "llama-server router preset")
        press(qtbot, dialog, button)
        assert news(dialog) == (
            "Not possible as llama-server router preset. Chat template: “# a” has a line break, a space at its end, "
            "or a ; or #, which no router preset can hold."
        )
        choose(dialog, "Shell script")
        assert news(dialog) == ""
    assert QApplication.clipboard().text() == "before"
    assert not dialog.findChildren(QFileDialog)
    form.edit(chat_template="#" * 5000)
    choose(dialog, "llama-server router preset")
    press(qtbot, dialog, "commandCopy")
    assert len(news(dialog)) < 300


def test_another_engine_has_the_formats_that_suit_every_program(dialog, form):
    box = child(dialog, QComboBox, "commandFormat")
    choose(dialog, "Shell script")
    form.edit(engine="another")
    assert [box.itemText(row) for row in range(box.count())] == [
        "Line for sh, bash and zsh", "Line for PowerShell", "Shell script", "systemd user unit",
    ]  # fmt: skip
    assert box.currentText() == "Shell script"
    form.edit(engine=None)
    choose(dialog, "docker run command")
    form.edit(engine="another")
    assert box.currentText() == "Line for sh, bash and zsh"


async def test_without_a_command_line_there_is_nothing_to_copy_or_to_save(dialog, form):
    form.type_text("extra_args", "'open")
    assert not child(dialog, QPushButton, "commandCopy").isEnabled()
    assert not child(dialog, QPushButton, "commandSave").isEnabled()
    assert child(dialog, QPushButton, "commandPaste").isEnabled()


async def save(qtbot, dialog: QDialog, path: Path) -> str:
    """Saves under that path; the answer is the name that was offered."""
    press(qtbot, dialog, "commandSave")
    files = await opened(dialog, QFileDialog)
    name = child(files, QLineEdit, "fileNameEdit")
    offered = name.text()
    name.setText(str(path))
    files.accept()
    await poll(lambda: not dialog.findChildren(QFileDialog))
    return offered


async def test_a_script_is_saved_and_can_be_run(qtbot, dialog, form, tmp_path):
    choose(dialog, "Shell script")
    path = tmp_path / "run.sh"
    assert await save(qtbot, dialog, path) == "llama-server.sh"
    await poll(lambda: news(dialog) == f"Saved: {path}")
    assert path.read_text(encoding="utf-8") == export(form.state.argv, ExportFormat.SCRIPT)
    assert path.stat().st_mode & 0o111
    assert list(tmp_path.iterdir()) == [path]


async def test_a_file_that_cannot_be_written_is_told(qtbot, dialog):
    choose(dialog, "systemd user unit")
    assert await save(qtbot, dialog, Path("/proc/no-place-for-files")) == "llama-server.service"
    await poll(lambda: news(dialog) != "")
    assert "The file cannot be used as it is." in news(dialog)


async def test_a_pasted_line_fills_the_form_and_says_what_became_of_it(qtbot, dialog, form):
    press(qtbot, dialog, "commandPaste")
    paste = await opened(dialog, PasteCommandDialog)
    assert_all_named(paste)
    fill = child(paste, QPushButton, "pasteCommandFill")
    assert not fill.isEnabled()
    child(paste, QPlainTextEdit, "pastedCommand").setPlainText(LINE)
    await poll(fill.isEnabled)
    expected = [
        "Will set: Context size, Flash attention, Extra arguments, MTP.",
        "Ignored (model comes from the list): -m /m/tiny.gguf",
        "Translated: -fa → -fa on",
        "Ignored (managed by GGLib Desktop): --host localhost",
        "Not listed by this engine; kept as extra arguments: --nope 1",
        "Ignored (not a llama-server option): | · tee log",
    ]
    assert notes(paste, "pastedNotes") == expected
    assert form.draft == LaunchOptions(threads=3), "nothing happens before it is wanted"
    fill.click()
    await poll(lambda: form.draft != LaunchOptions(threads=3))
    assert form.draft == LaunchOptions(context_size=4096, flash_attn="on", mtp=MtpChoice.ON, extra_args=("--nope", "1"))
    assert notes(dialog, "commandNotes") == expected
    press(qtbot, dialog, "commandNotesHide")
    assert notes(dialog, "commandNotes") == []


async def test_what_cannot_be_read_stays_and_is_told(qtbot, dialog, form):
    press(qtbot, dialog, "commandPaste")
    paste = await opened(dialog, PasteCommandDialog)
    box = child(paste, QPlainTextEdit, "pastedCommand")
    box.setPlainText("llama-server -m 'x")
    await poll(lambda: notes(paste, "pastedNotes") == ["A quotation mark is not closed."])
    assert not child(paste, QPushButton, "pasteCommandFill").isEnabled()
    assert box.toPlainText() == "llama-server -m 'x"
    box.appendPlainText("y' -c 5")
    await poll(child(paste, QPushButton, "pasteCommandFill").isEnabled)
    press(qtbot, paste, "pasteCommandCancel")
    await poll(lambda: not dialog.findChildren(PasteCommandDialog))
    assert form.draft == LaunchOptions(threads=3)


@pytest.mark.parametrize(("clip", "taken"), [("llama-server -m x -c 7", True), ("dear diary", False)])
async def test_the_clipboard_is_taken_if_it_holds_a_command(qtbot, dialog, clip, taken):
    QApplication.clipboard().setText(clip)
    press(qtbot, dialog, "commandPaste")
    paste = await opened(dialog, PasteCommandDialog)
    assert child(paste, QPlainTextEdit, "pastedCommand").toPlainText() == (clip if taken else "")
    press(qtbot, paste, "pasteCommandCancel")
    await poll(lambda: not dialog.findChildren(PasteCommandDialog))


# -- from the menu


async def paste_in_menu(desk, text: str) -> None:
    QApplication.clipboard().setText(text)
    action = desk.window.findChild(QAction, "paste_command")
    assert isinstance(action, QAction)
    action.trigger()
    paste = await opened(desk.window, PasteCommandDialog)
    fill = child(paste, QPushButton, "pasteCommandFill")
    await poll(fill.isEnabled)
    fill.click()


async def test_the_menu_starts_the_model_that_the_line_names(desk):
    await filled(desk)
    named = next(model for model in desk.library.models if model.name == "Qwen Small")
    assert desk.models.selected.name == "Gemma"
    await paste_in_menu(desk, f"llama-server -m '{named.path}' -c 4096")
    start = await opened(desk.window, StartWithDialog)
    assert start.windowTitle() == "Start Qwen Small with…"
    assert start.view_model.form.draft == LaunchOptions(context_size=4096)
    assert notes(start, "commandNotes")[0] == "Will set: Context size."
    start.reject()


async def test_the_menu_starts_the_selected_model_if_the_line_names_none_of_the_list(desk):
    await filled(desk)
    await paste_in_menu(desk, "llama-server -m /nowhere/x.gguf -c 4096")
    start = await opened(desk.window, StartWithDialog)
    assert start.windowTitle() == "Start Gemma with…"
    start.reject()


async def test_the_menu_asks_for_a_model_when_there_is_none_at_all(desk):
    await filled(desk)
    table(desk).clearSelection()
    await paste_in_menu(desk, "llama-server -c 4096")
    await poll(lambda: "Select a model first" in text_of(desk.window))
