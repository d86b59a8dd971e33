"""The details dialog, over the demo model."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTableView,
    QTabWidget,
)
from shiboken6 import delete

from gglib_desktop.adapters.gguf_header import read_header
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf import GgufHeader
from gglib_desktop.domain.model import Model
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.model_details import ModelDetailsViewModel
from gglib_desktop.views.dialogs.model_details import DetailsPage, ModelDetailsDialog
from tests.fakes.notes import FakeKeeper
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, child, click, text
from tests.unit.viewmodels.test_model_details import FixedMemory, demo


@pytest.fixture
async def memory() -> FixedMemory:
    return FixedMemory()


@pytest.fixture
async def keeper() -> FakeKeeper:
    return FakeKeeper()


@pytest.fixture
async def dialog(qapp, tmp_path, memory, keeper):
    async with TaskScope(LogReporter()) as scope:
        details = ModelDetailsViewModel(demo(tmp_path), read_header, memory, keeper, scope)
        dialog = ModelDetailsDialog(details)
        dialog.open()
        await poll(lambda: not details.state.loading)
        yield dialog
        dialog.reject()
    delete(dialog)


async def test_every_control_is_named_and_the_dialog_fits_a_small_screen(dialog):
    assert_all_named(dialog)
    hint = dialog.minimumSizeHint()
    assert hint.width() <= 800
    assert hint.height() <= 600
    assert dialog.windowTitle() == "Details of Tiny"


async def test_facts_are_shown_with_their_source(dialog):
    assert text(dialog, "fact_architecture") == "qwen35"
    assert child(dialog, QLabel, "fact_context").accessibleName() == "Longest context: 8192"
    assert "qwen35.context_length" in {label.text() for label in dialog.findChildren(QLabel)}
    assert child(dialog, QLabel, "detailsProblem").isHidden()


async def test_the_path_is_copied(dialog, qtbot, tmp_path):
    click(qtbot, dialog, "detailsCopyPath")
    assert QApplication.clipboard().text() == str(tmp_path / "tiny-Q8_0.gguf")


async def test_metadata_is_searched_and_copied(dialog, qtbot):
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.METADATA)
    table = child(dialog, QTableView, "metadata")
    qtbot.keyClicks(child(dialog, QLineEdit, "searchMetadata"), "head_count")
    assert table.model().rowCount() == 2
    click(qtbot, dialog, "detailsCopyMetadata")
    assert QApplication.clipboard().text() == "qwen35.attention.head_count\t4\nqwen35.attention.head_count_kv\t2"
    table.selectRow(1)
    click(qtbot, dialog, "detailsCopyMetadata")
    assert QApplication.clipboard().text() == "qwen35.attention.head_count_kv\t2"
    table.selectRow(0)
    dialog.activateWindow()
    table.setFocus()
    qtbot.keySequence(table, QKeySequence(QKeySequence.StandardKey.Copy))
    await poll(lambda: QApplication.clipboard().text() == "qwen35.attention.head_count\t4")


async def test_the_forecast_follows_the_spin_box(dialog, memory):
    box = child(dialog, QSpinBox, "field_forecast_context")
    assert box.value() == 8192
    assert text(dialog, "forecastVerdict").startswith("It fits into the memory that is free now.")
    assert text(dialog, "forecast_weights") == "5.0 MiB"
    assert text(dialog, "forecast_free") == "8.0 GiB of 16.0 GiB"
    before = text(dialog, "forecast_cache")
    memory.free_bytes = 24 * 2**20
    box.setValue(4096)
    assert text(dialog, "forecast_cache") != before
    assert text(dialog, "forecastVerdict").startswith("It is tight")
    memory.free_bytes = 1
    box.setValue(2048)
    assert text(dialog, "forecastVerdict").startswith("It does not fit")
    memory.free_bytes = None
    box.setValue(1024)
    assert text(dialog, "forecastVerdict").startswith("Whether it fits is unknown.")
    assert text(dialog, "forecast_free") == "unknown"


async def test_a_file_that_is_gone_is_said_so(qapp, tmp_path):
    gone = Model(id=1, path=Path("/no/such.gguf"), facts=None, problem=None, added_at=0.0, name="such")
    async with TaskScope(LogReporter()) as scope:
        details = ModelDetailsViewModel(gone, read_header, FixedMemory(), FakeKeeper(), scope)
        dialog = ModelDetailsDialog(details)
        dialog.open()
        assert text(dialog, "forecastVerdict") == "Reading the file’s header…"
        await poll(lambda: not details.state.loading)
        assert text(dialog, "detailsProblem") == "The file does not exist."
        assert text(dialog, "forecast_total") == "unknown"
        assert text(dialog, "forecastVerdict").startswith("Nothing can be said")
        dialog.reject()
    delete(dialog)


async def test_what_the_header_does_not_tell_is_named(qapp, tmp_path):
    header = GgufHeader(3, "little", 0, {"general.architecture": "new", "new.context_length": 512})
    async with TaskScope(LogReporter()) as scope:
        details = ModelDetailsViewModel(demo(tmp_path), lambda _path: header, FixedMemory(), FakeKeeper(), scope)
        dialog = ModelDetailsDialog(details)
        dialog.open()
        await poll(lambda: not details.state.loading)
        assert text(dialog, "forecast_cache") == "unknown"
        verdict = text(dialog, "forecastVerdict")
        assert verdict.startswith("Whether it fits is unknown. The header does not tell new.block_count")
        dialog.reject()
    delete(dialog)


# -- tags and notes


async def test_tags_and_notes_are_saved_by_the_button(dialog, keeper, qtbot):
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.NOTES)
    assert not child(dialog, QPushButton, "saveNotes").isEnabled()
    qtbot.keyClicks(child(dialog, QLineEdit, "field_tags"), "coding, fast")
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("good at Rust")
    click(qtbot, dialog, "saveNotes")
    await poll(lambda: keeper.kept == {1: (("coding", "fast"), "good at Rust")})
    await poll(lambda: text(dialog, "notesSaid") == "Saved.")
    assert not child(dialog, QPushButton, "saveNotes").isEnabled()
    qtbot.keyClicks(child(dialog, QLineEdit, "field_tags"), ", x")
    assert text(dialog, "notesSaid") == ""


async def test_closing_saves_what_was_typed(dialog, keeper, qtbot):
    child(dialog, QLineEdit, "field_tags").setText("late")
    click(qtbot, dialog, "detailsClose")
    await poll(lambda: not dialog.isVisible())
    assert keeper.kept == {1: (("late",), "")}


async def test_what_cannot_be_saved_stays_until_it_is_given_up(dialog, keeper, qtbot):
    keeper.problem = LibraryError("the disk is full")
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("precious")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    await poll(lambda: "The disk is full" in text(dialog, "notesSaid"))
    assert dialog.isVisible()
    assert child(dialog, QPlainTextEdit, "field_notes").toPlainText() == "precious"
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("precious!")
    dialog.reject()
    await poll(lambda: "The disk is full" in text(dialog, "notesSaid"))
    assert dialog.isVisible(), "what was typed since is not given up"
    dialog.reject()
    assert not dialog.isVisible()
    assert keeper.kept == {}


async def test_the_second_try_may_succeed(dialog, keeper):
    keeper.problem = LibraryError("the disk is full")
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("precious")
    dialog.reject()
    await poll(lambda: "The disk is full" in text(dialog, "notesSaid"))
    keeper.problem = None
    child(dialog, QPushButton, "saveNotes").click()
    await poll(lambda: keeper.kept == {1: ((), "precious")})
    assert dialog.isVisible(), "the button does not close"
