"""The dialogs around the form of launch choices."""

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QToolButton,
    QWidget,
)

from gglib_desktop.domain.documents.settings import AppSettings
from gglib_desktop.domain.errors import LibraryError, SettingsError
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.launch.options import LaunchOptions, Source
from gglib_desktop.viewmodels.launch.launch_forms import LaunchFormDialogViewModel, StartFormViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionForecastViewModel, OptionFormViewModel
from gglib_desktop.views.launch.dialog import ModelDefaultsDialog, StartWithDialog
from gglib_desktop.views.launch.option_rows import OptionRow
from gglib_desktop.views.settings.dialog import SettingsDialog
from tests.fakes.forms import MODEL, command_text, option_form
from tests.fakes.settings import FakeEngineCatalog, FakeSettingsStore, settings_form
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, button, child, click, text
from tests.unit.domain.gguf.test_forecast import header as metadata
from tests.unit.viewmodels.launch.test_launch_forms import FixedMemory


def forecast(form: OptionFormViewModel, scope, free_bytes: int = 2**40) -> OptionForecastViewModel:
    return OptionForecastViewModel(
        MODEL,
        form,
        lambda _path: GgufHeader(3, "little", 0, metadata()),
        FixedMemory(free_bytes),
        scope,
    )


@pytest.fixture
def starts(qtbot, scope):
    """Shows "Start with…"; ``started`` is what was started, ``refuse`` what is raised instead."""

    class Starts:
        def __init__(self) -> None:
            self.started: list[tuple[int, LaunchOptions, bool]] = []
            self.refuse: LibraryError | None = None

        async def start(self, model_id: int, launch: LaunchOptions, *, remember: bool) -> None:
            if self.refuse is not None:
                raise self.refuse
            self.started.append((model_id, launch, remember))

        def show(self, *, runs: bool = False) -> StartWithDialog:
            commands = command_text(option_form(), scope)
            outlook = forecast(commands.form, scope)
            view_model = StartFormViewModel(MODEL, commands, outlook, scope, self.start, runs=runs)
            dialog = StartWithDialog(view_model)
            qtbot.addWidget(dialog)
            dialog.show()
            return dialog

    return Starts()


async def test_start_with_starts_what_was_chosen_and_enter_does_it(qtbot, starts):
    dialog = starts.show()
    assert dialog.windowTitle() == "Start Tiny with…"
    assert_all_named(dialog)
    context = child(dialog, QSpinBox, "field_context_size")
    context.setFocus()
    context.selectAll()
    qtbot.keyClicks(context, "4096")
    assert "-c 4096" in child(dialog, QPlainTextEdit, "commandLinePreview").toPlainText()
    qtbot.keyClick(context, Qt.Key.Key_Return)
    await poll(lambda: dialog.result() == QDialog.DialogCode.Accepted)
    assert starts.started == [(1, LaunchOptions(context_size=4096), False)]


async def test_choices_are_remembered_only_when_asked_for(qtbot, starts):
    dialog = starts.show()
    box = child(dialog, QCheckBox, "startWithRemember")
    assert (box.accessibleName(), box.isChecked()) == ("Remember for this model", False)
    box.setChecked(True)
    click(qtbot, dialog, "startWithStart")
    await poll(lambda: starts.started)
    assert starts.started == [(1, LaunchOptions(), True)]


async def test_start_with_is_left_by_escape_and_by_cancel(qtbot, starts):
    for leave in (
        lambda dialog: qtbot.keyClick(dialog, Qt.Key.Key_Escape),
        lambda dialog: click(qtbot, dialog, "startWithCancel"),
    ):
        dialog = starts.show()
        leave(dialog)
        assert not dialog.isVisible()
        assert dialog.result() == QDialog.DialogCode.Rejected
    assert not starts.started


async def test_start_with_says_that_it_starts_one_more(starts):
    dialog = starts.show(runs=True)
    assert button(dialog, "startWithStart").text() == "Start another"
    assert any("runs already" in label.text() for label in dialog.findChildren(QLabel))


async def test_a_flag_that_the_engine_does_not_list_is_told_before_the_start(qtbot, starts):
    dialog = starts.show()
    child(dialog, QLineEdit, "field_extra_args").setText("--no-such-flag 3")
    note = child(dialog, QLabel, "note_extra_args")
    assert note.isVisible(), "its group is unfolded"
    assert note.text() == "The engine's help does not list --no-such-flag. It will probably refuse to start."
    assert button(dialog, "startWithStart").text() == "Start anyway"
    child(dialog, QLineEdit, "field_extra_args").setText("")
    assert button(dialog, "startWithStart").text() == "Start"
    child(dialog, QLineEdit, "field_extra_args").setText("--no-such-flag 3")
    click(qtbot, dialog, "startWithStart")
    await poll(lambda: starts.started)
    assert starts.started[0][1].extra_args == ("--no-such-flag", "3")


async def test_a_problem_keeps_the_dialog_and_leads_to_its_field(qtbot, starts):
    dialog = starts.show()
    child(dialog, QLineEdit, "field_extra_args").setText("--port 1")
    assert "None yet: look at Extra arguments." in child(dialog, QPlainTextEdit, "commandLinePreview").toPlainText()
    child(dialog, QToolButton, "fold_other").click()
    click(qtbot, dialog, "startWithStart")
    await poll(lambda: "cannot be used" in text(dialog, "startWithProblemText"))
    assert "Extra arguments: --port is decided by the field Server port" in text(dialog, "startWithProblemText")
    assert child(dialog, QLineEdit, "field_extra_args").hasFocus()
    assert dialog.isVisible()
    child(dialog, QLineEdit, "field_extra_args").clear()
    assert not child(dialog, QWidget, "startWithProblem").isVisible()


async def test_what_was_chosen_stays_when_the_start_cannot_be_made(qtbot, starts):
    dialog = starts.show()
    starts.refuse = LibraryError("disk full")
    child(dialog, QSpinBox, "field_context_size").setValue(2048)
    click(qtbot, dialog, "startWithStart")
    await poll(lambda: "disk full" in text(dialog, "startWithProblemText").lower())
    assert child(dialog, QSpinBox, "field_context_size").value() == 2048
    starts.refuse = None
    await poll(button(dialog, "startWithStart").isEnabled)
    click(qtbot, dialog, "startWithStart")
    await poll(lambda: starts.started)


async def test_memory_is_told_while_one_chooses_and_fills_the_context_in(qtbot, starts):
    dialog = starts.show()
    # Not gray without a reason while the header is read.
    assert button(dialog, "contextMaximum").text() == "Model maximum (reading…)"
    assert "is being read" in button(dialog, "contextFit").toolTip()
    await poll(lambda: text(dialog, "memoryOutlookText").startswith("Memory: fits."))
    before = text(dialog, "memoryOutlookText")
    longest = button(dialog, "contextMaximum")
    assert longest.text().startswith("Model maximum (")
    click(qtbot, dialog, "contextMaximum")
    assert child(dialog, QSpinBox, "field_context_size").value() == 8192
    child(dialog, QSpinBox, "field_context_size").setValue(256)
    await poll(lambda: text(dialog, "memoryOutlookText") != before)
    click(qtbot, dialog, "contextFit")
    assert child(dialog, QSpinBox, "field_context_size").value() == 8192
    dialog.reject()  # else it forecasts again, and no loop runs any more


async def test_tab_comes_from_the_context_to_its_helpers(qtbot, starts):
    dialog = starts.show()
    await poll(lambda: button(dialog, "contextFit").isEnabled())
    child(dialog, QSpinBox, "field_context_size").setFocus()
    visited = []
    for _ in range(3):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        visited.append(dialog.focusWidget().objectName())
    assert visited == ["contextMaximum", "contextFit", "field_gpu_layers"]


async def test_too_little_memory_warns_and_forbids_nothing(qtbot, scope):
    form = option_form(Source.MODEL)

    async def save() -> None:
        pass

    commands, outlook = command_text(form, scope), forecast(form, scope, free_bytes=1024)
    view_model = LaunchFormDialogViewModel(MODEL, commands, outlook, scope, save)
    dialog = ModelDefaultsDialog(view_model)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.windowTitle() == "Launch defaults of Tiny"
    await poll(lambda: text(dialog, "memoryOutlookText").startswith("Memory: does not fit."))
    assert text(dialog, "memoryOutlookText").endswith("No context fits comfortably.")
    assert not button(dialog, "contextFit").isEnabled()
    assert button(dialog, "contextFit").text() == "Fit my memory (none)"
    assert "No context fits" in button(dialog, "contextFit").toolTip()
    click(qtbot, dialog, "modelDefaultsSave")
    await poll(lambda: dialog.result() == QDialog.DialogCode.Accepted)


async def test_a_small_screen_has_room_for_all_buttons(qtbot, starts):
    dialog = starts.show()
    dialog.resize(QSize(780, 560))
    assert dialog.height() == 560
    for found in dialog.findChildren(QPushButton):
        if found.objectName() in {"startWithStart", "startWithCancel"}:
            corner = found.mapTo(dialog, found.rect().bottomRight())
            assert dialog.rect().contains(corner), found.objectName()


# -- all models


async def test_the_settings_have_the_defaults_of_all_models(qtbot, scope):
    store = FakeSettingsStore(AppSettings(defaults=LaunchOptions(threads=3)))
    form = settings_form(store, FakeEngineCatalog(), scope)
    dialog = SettingsDialog(form)
    qtbot.addWidget(dialog)
    dialog.show()
    pages = child(dialog, QTabWidget, "settingsPages")
    assert [pages.tabText(index).replace("&", "") for index in range(pages.count())] == [
        "General",
        "Defaults for all models",
        "History",
    ]
    pages.setCurrentIndex(1)
    assert child(dialog, QSpinBox, "field_threads").value() == 3
    assert_all_named(dialog)
    child(dialog, QSpinBox, "field_context_size").setValue(8192)
    child(dialog, QLineEdit, "field_extra_args").setText("'")
    click(qtbot, dialog, "settingsSave")
    await poll(lambda: "Extra arguments" in text(dialog, "settingsProblemText"))
    child(dialog, QLineEdit, "field_extra_args").clear()
    store.problem = SettingsError("read-only")
    await poll(button(dialog, "settingsSave").isEnabled)
    click(qtbot, dialog, "settingsSave")
    await poll(lambda: "ead-only" in text(dialog, "settingsProblemText"))
    assert child(dialog, QSpinBox, "field_context_size").value() == 8192
    store.problem = None
    await poll(button(dialog, "settingsSave").isEnabled)
    click(qtbot, dialog, "settingsSave")
    await poll(lambda: dialog.result() == QDialog.DialogCode.Accepted)
    assert store.settings.defaults == LaunchOptions(threads=3, context_size=8192)


async def test_settings_whose_defaults_nobody_looked_at_keep_them(qtbot, scope):
    store = FakeSettingsStore(AppSettings(defaults=LaunchOptions(threads=3)))
    dialog = SettingsDialog(settings_form(store, FakeEngineCatalog(), scope))
    qtbot.addWidget(dialog)
    dialog.show()
    child(dialog, QSpinBox, "field_base_port").setValue(9100)
    click(qtbot, dialog, "settingsSave")
    await poll(lambda: dialog.result() == QDialog.DialogCode.Accepted)
    assert store.settings == AppSettings(base_port=9100, defaults=LaunchOptions(threads=3))


async def test_a_settings_file_that_changes_meanwhile_is_shown_below_what_was_typed(qtbot, scope):
    before = AppSettings(defaults=LaunchOptions(threads=3))
    form = settings_form(FakeSettingsStore(before), FakeEngineCatalog(), scope)
    dialog = SettingsDialog(form)
    qtbot.addWidget(dialog)
    dialog.show()
    child(dialog, QTabWidget, "settingsPages").setCurrentIndex(1)
    child(dialog, QSpinBox, "field_context_size").setValue(8192)
    child(dialog, QLineEdit, "field_extra_args").setText("'")
    form.rebase(AppSettings(defaults=LaunchOptions(threads=5, parallel=2)))
    assert form.options.draft == LaunchOptions(threads=5, parallel=2, context_size=8192)
    assert child(dialog, QSpinBox, "field_threads").value() == 5
    assert child(dialog, QLineEdit, "field_extra_args").text() == "'"


# -- large text


@pytest.fixture
def large_text(qapp):
    """14 points, as some desktops have it."""
    before = qapp.font()
    font = QFont(before)
    font.setPointSizeF(14)
    qapp.setFont(font)
    yield
    qapp.setFont(before)


async def test_with_large_text_everything_fits_into_a_small_window(qtbot, large_text, starts):
    dialog = starts.show()
    dialog.resize(780, 560)
    assert dialog.size().toTuple() == (780, 560)
    area = child(dialog, QScrollArea, "optionScroll")
    rows = [row for row in dialog.findChildren(OptionRow) if row.isVisible()]
    assert rows
    await poll(lambda: all(row.minimumSizeHint().width() <= area.viewport().width() for row in rows))
    note, field = child(dialog, QLabel, "note_gpu_layers"), child(dialog, QSpinBox, "field_gpu_layers")
    assert note.y() > field.y()


async def test_the_command_line_can_be_folded_away(qtbot, starts):
    dialog = starts.show()
    preview = child(dialog, QPlainTextEdit, "commandLinePreview")
    assert preview.isVisible()
    child(dialog, QToolButton, "foldCommand").click()
    assert not preview.isVisible()
    assert child(dialog, QToolButton, "foldCommand").accessibleName() == "Unfold command line"
