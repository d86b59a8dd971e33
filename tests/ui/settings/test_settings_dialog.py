"""The settings dialog keeps what was typed until it is saved, and says what is wrong where it is wrong."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDoubleSpinBox, QFileDialog, QLabel, QLineEdit, QSpinBox, QWidget
from shiboken6 import isValid

from gglib_desktop.domain.documents.settings import AppSettings, OnQuit, Theme
from gglib_desktop.domain.engine.capabilities import Engine, EngineCapabilities, EngineSource
from gglib_desktop.domain.errors import SettingsError
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.settings.settings_form import SettingsFormViewModel
from gglib_desktop.views.settings.dialog import SettingsDialog
from tests.fakes.settings import FOUND, FakeEngineCatalog, FakeSettingsStore, settings_form
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, button, child, click, text

OWN = Path("/opt/llama/llama-server")
SMALLEST_WINDOW = (800, 600)
HISTORY = {"requests_keep_rows": 100_000, "requests_keep_days": 90, "log_size_mib": 64}


class Bench:
    """The settings dialog on a form with fakes below it."""

    def __init__(
        self,
        qtbot,
        scope: TaskScope,
        *,
        engine: Engine | None = FOUND,
        others: Mapping[str, FakeEngineCatalog | None] | None = None,
    ) -> None:
        self.store = FakeSettingsStore(AppSettings(base_port=9400))
        own = Engine(OWN, "9000 (abc)", EngineCapabilities(), EngineSource.ARGUMENT)
        self.catalog = FakeEngineCatalog({OWN: own})
        self.form: SettingsFormViewModel = settings_form(self.store, self.catalog, scope, engine=engine, others=others)
        self.dialog = SettingsDialog(self.form)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.path = child(self.dialog, QLineEdit, "field_engine_path")

    @property
    def result(self) -> str:
        return text(self.dialog, "engineTestResult")

    @property
    def problem(self) -> str:
        banner = child(self.dialog, QWidget, "settingsProblem")
        return banner.accessibleName() if banner.isVisible() else ""


@pytest.fixture
async def scope() -> AsyncIterator[TaskScope]:
    async with TaskScope(LogReporter()) as scope:
        yield scope


@pytest.fixture
async def bench(qtbot, scope: TaskScope) -> Bench:
    return Bench(qtbot, scope)


async def test_settings_show_what_is_in_force(bench):
    dialog = bench.dialog
    assert dialog.windowTitle() == "Settings"
    assert bench.path.text() == ""
    assert bench.path.placeholderText() == "Find automatically"
    assert child(dialog, QSpinBox, "field_base_port").value() == 9400
    assert child(dialog, QDoubleSpinBox, "field_stop_grace_s").value() == 5.0
    assert child(dialog, QComboBox, "field_on_quit").currentText() == "Ask"
    assert child(dialog, QComboBox, "field_theme").currentText() == "System"
    in_force = text(dialog, "engineInForce")
    assert "/usr/bin/llama-server" in in_force
    assert in_force.endswith("version 10434 (4a6735a), with MTP; found in PATH")
    assert_all_named(dialog)


async def test_settings_fit_the_smallest_window(bench):
    bench.form.failed.emit(SettingsError("settings.toml: cannot be written"))
    assert bench.dialog.width() <= SMALLEST_WINDOW[0]
    assert bench.dialog.height() <= SMALLEST_WINDOW[1]


@pytest.mark.parametrize("source", EngineSource)
async def test_it_is_said_why_an_engine_is_in_force(qtbot, scope, source):
    engine = Engine(OWN, "9000", EngineCapabilities(), source)
    words = text(Bench(qtbot, scope, engine=engine).dialog, "engineInForce").splitlines()
    assert words[0] == str(OWN)
    assert words[1].startswith("version 9000, without MTP; ")


async def test_it_is_said_that_there_is_no_engine(qtbot, scope):
    assert text(Bench(qtbot, scope, engine=None).dialog, "engineInForce").startswith("None")


async def test_saving_puts_everything_in_force_and_closes(qtbot, bench):
    dialog = bench.dialog
    qtbot.keyClicks(bench.path, str(OWN))
    port = child(dialog, QSpinBox, "field_base_port")
    port.selectAll()
    qtbot.keyClicks(port, "9700")
    child(dialog, QDoubleSpinBox, "field_stop_grace_s").setValue(2.5)
    child(dialog, QComboBox, "field_on_quit").setCurrentIndex(2)
    child(dialog, QComboBox, "field_theme").setCurrentIndex(1)
    click(qtbot, dialog, "settingsSave")
    await poll(lambda: not dialog.isVisible())
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert bench.store.settings == AppSettings(
        engine_path=OWN, base_port=9700, stop_grace_s=2.5, on_quit=OnQuit.LEAVE_RUNNING, theme=Theme.LIGHT
    )


async def test_enter_saves(qtbot, bench):
    qtbot.keyClick(bench.path, Qt.Key.Key_Return)
    await poll(lambda: not bench.dialog.isVisible())
    assert bench.dialog.result() == QDialog.DialogCode.Accepted


@pytest.mark.parametrize("way", ["escape", "cancel"])
async def test_leaving_changes_nothing(qtbot, bench, way):
    qtbot.keyClicks(bench.path, str(OWN))
    if way == "escape":
        qtbot.keyClick(bench.path, Qt.Key.Key_Escape)
    else:
        click(qtbot, bench.dialog, "settingsCancel")
    assert not bench.dialog.isVisible()
    assert bench.store.settings == AppSettings(base_port=9400)


async def test_save_waits_while_the_engine_is_checked(qtbot, bench):
    bench.catalog.gate.clear()
    qtbot.keyClicks(bench.path, str(OWN))
    click(qtbot, bench.dialog, "settingsSave")
    assert not button(bench.dialog, "settingsSave").isEnabled()
    bench.catalog.gate.set()
    await poll(lambda: not bench.dialog.isVisible())


async def test_leaving_while_saving_gives_up_the_check(qtbot, bench):
    bench.catalog.gate.clear()
    qtbot.keyClicks(bench.path, str(OWN))
    click(qtbot, bench.dialog, "settingsSave")
    click(qtbot, bench.dialog, "settingsCancel")
    await poll(lambda: not bench.form.save.is_busy)
    assert bench.store.settings.engine_path is None


async def test_an_engine_that_cannot_be_used_is_told_beside_its_field_and_nothing_is_lost(qtbot, bench):
    qtbot.keyClicks(bench.path, "/nowhere")
    child(bench.dialog, QSpinBox, "field_base_port").setValue(9800)
    click(qtbot, bench.dialog, "settingsSave")
    await poll(lambda: bench.result)
    assert bench.result == "There is no such file."
    assert bench.problem == ""
    assert bench.dialog.isVisible()
    assert bench.path.text() == "/nowhere"
    assert child(bench.dialog, QSpinBox, "field_base_port").value() == 9800
    await poll(button(bench.dialog, "settingsSave").isEnabled)
    qtbot.keyClicks(bench.path, "x")
    assert bench.result == "", "said of another path"


async def test_a_file_that_cannot_be_written_is_told_and_saving_again_works(qtbot, bench):
    height = bench.dialog.height()
    bench.store.problem = SettingsError("settings.toml: cannot be written: No space left on device")
    child(bench.dialog, QComboBox, "field_theme").setCurrentIndex(2)
    click(qtbot, bench.dialog, "settingsSave")
    await poll(lambda: bench.problem)
    assert "No space left on device" in bench.problem
    assert bench.dialog.isVisible()
    assert bench.dialog.height() == height, "nothing jumps"
    assert child(bench.dialog, QComboBox, "field_theme").currentText() == "Dark"
    bench.store.problem = None
    await poll(button(bench.dialog, "settingsSave").isEnabled)
    click(qtbot, bench.dialog, "settingsSave")
    await poll(lambda: not bench.dialog.isVisible())
    assert bench.store.settings.theme is Theme.DARK


async def test_test_tells_what_an_engine_can(qtbot, bench):
    qtbot.keyClicks(bench.path, str(OWN))
    bench.catalog.gate.clear()
    click(qtbot, bench.dialog, "engineTest")
    assert bench.result == "Testing…"
    bench.catalog.gate.set()
    await poll(lambda: bench.result != "Testing…")
    assert bench.result == "This engine works: version 9000 (abc), without MTP."


async def test_test_of_an_empty_path_tells_which_engine_is_found(qtbot, bench):
    click(qtbot, bench.dialog, "engineTest")
    await poll(lambda: bench.result not in {"", "Testing…"})
    assert bench.result == "This engine works: version 10434 (4a6735a), with MTP.\n/usr/bin/llama-server"


async def test_test_tells_what_is_wrong(qtbot, bench):
    qtbot.keyClicks(bench.path, "/nowhere")
    click(qtbot, bench.dialog, "engineTest")
    await poll(lambda: bench.result not in {"", "Testing…"})
    assert bench.result == "There is no such file."


async def test_another_path_ends_the_test_of_the_one_before(qtbot, bench):
    bench.catalog.gate.clear()
    click(qtbot, bench.dialog, "engineTest")
    qtbot.keyClicks(bench.path, str(OWN))
    await poll(lambda: not bench.form.test.is_busy)
    assert bench.result == ""


async def test_browse_opens_a_window_that_does_not_block(qtbot, bench, tmp_path):
    engine = tmp_path / "llama-server"
    engine.touch()
    bench.form.edit_engine_path(str(engine))
    click(qtbot, bench.dialog, "engineBrowse")
    chooser = child(bench.dialog, QFileDialog, "engineFileDialog")
    assert chooser.isVisible()
    assert chooser.directory().absolutePath() == str(tmp_path)
    chooser.fileSelected.emit("/opt/other")
    assert bench.path.text() == "/opt/other"
    chooser.reject()
    await poll(lambda: not isValid(chooser))


async def test_the_dialog_begins_at_the_engine_and_goes_down(qtbot, bench):
    await poll(bench.dialog.isActiveWindow)
    visited = []
    for _ in range(8):
        visited.append(bench.dialog.focusWidget().objectName())
        qtbot.keyClick(bench.dialog.focusWidget(), Qt.Key.Key_Tab)
    assert visited == [
        "field_engine_path",
        "engineBrowse",
        "engineTest",
        "field_base_port",
        "field_stop_grace_s",
        "field_on_quit",
        "field_theme",
        "settingsSave",
    ]


async def test_no_label_is_called_as_a_field_is(bench):
    """Who looks for a field by its name must not find its label."""
    labels = {label.text().replace("&", "") for label in bench.dialog.findChildren(QLabel)}
    fields = {field.accessibleName() for field in bench.dialog.findChildren(QWidget) if not isinstance(field, QLabel)}
    assert not labels & fields - {""}


# -- History


async def test_how_much_is_kept_can_be_said(bench, qtbot):
    kept = {name: child(bench.dialog, QSpinBox, f"field_{name}") for name in HISTORY}
    assert {name: box.value() for name, box in kept.items()} == HISTORY
    for box, wanted in zip(kept.values(), (5000, 30, 8), strict=True):
        box.setValue(wanted)
        assert box.value() == wanted
        assert box.accessibleDescription()
    click(qtbot, bench.dialog, "settingsSave")
    await poll(lambda: not isValid(bench.dialog) or not bench.dialog.isVisible())
    saved = bench.store.settings
    assert (saved.requests_keep_rows, saved.requests_keep_days, saved.log_size_mib) == (5000, 30, 8)
    assert saved.log_bytes == 8 * 1024 * 1024


async def test_another_engine_is_named_and_tried_before_it_is_saved(qtbot, scope):
    parrot = Engine(Path("/opt/parrot"), "1", EngineCapabilities(), EngineSource.ARGUMENT)
    catalog = FakeEngineCatalog({parrot.path: parrot})
    bench = Bench(qtbot, scope, others={"llama.cpp": None, "parrot": catalog})
    field = child(bench.dialog, QLineEdit, "field_engine_path_parrot")
    assert (field.accessibleName(), field.placeholderText()) == ("Engine (parrot)", "Find automatically")
    field.setText("/opt/gone")
    bench.form.save.trigger()
    await poll(lambda: "There is no such file" in bench.result)
    assert bench.store.settings.engines == {}
    field.setText("/opt/parrot")
    bench.form.save.trigger()
    await poll(lambda: bench.store.settings.engine_path_of("parrot") == parrot.path)
    field.setText("")
    assert bench.form.draft.engines == {}
