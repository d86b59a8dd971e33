"""The details dialog, over the demo model."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTableView,
    QTabWidget,
)
from shiboken6 import delete

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf.forecast import GraphicsCard, Memory
from gglib_desktop.domain.gguf.header import GgufHeader
from gglib_desktop.domain.models.integrity import HashSource, KnownHash
from gglib_desktop.domain.models.model import Model
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.models.model_details import ModelDetailsViewModel
from gglib_desktop.views.models.details.dialog import DetailsPage, ModelDetailsDialog
from tests.fakes.details import GIB, FakeCards, FakeSources
from tests.fakes.library import some_facts
from tests.fakes.waiting import poll
from tests.ui.finding import assert_all_named, child, click, text
from tests.unit.viewmodels.models.test_model_details import demo


@pytest.fixture
def sources() -> FakeSources:
    return FakeSources()


@pytest.fixture
async def dialog(qapp, tmp_path, sources):
    async with shown(demo(tmp_path), sources) as dialog:
        yield dialog


@asynccontextmanager
async def shown(model: Model, sources: FakeSources) -> AsyncIterator[ModelDetailsDialog]:
    async with TaskScope(LogReporter()) as scope:
        details = ModelDetailsViewModel(model, sources.all, scope, {})
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


async def test_the_keyboard_leads_through_the_pages_at_once(dialog, qtbot):
    pages = child(dialog, QTabWidget, "detailsPages")
    first = dialog.focusWidget()
    assert first is pages.tabBar()
    qtbot.keyClick(first, Qt.Key.Key_Right)
    qtbot.keyClick(first, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert pages.currentIndex() == DetailsPage.METADATA


async def test_facts_are_shown_with_their_source(dialog):
    assert text(dialog, "fact_architecture") == "Qwen 3.5 (qwen35)"
    assert child(dialog, QLabel, "fact_context").accessibleName() == "Longest context: 8192"
    sources = {label.toolTip(): label.text() for label in dialog.findChildren(QLabel)}
    assert sources["qwen35.context_length"] == "stated in the file's header"
    assert sources["library"] == "remembered by this program"
    assert child(dialog, QLabel, "detailsProblem").isHidden()


async def test_the_path_is_copied(dialog, qtbot, tmp_path):
    click(qtbot, dialog, "detailsCopyPath")
    assert QApplication.clipboard().text() == str(tmp_path / "tiny-Q8_0.gguf")


async def test_metadata_is_searched_and_copied(dialog, qtbot):
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.METADATA)
    table = child(dialog, QTableView, "metadata")
    assert table.columnWidth(0) > table.fontMetrics().horizontalAdvance("qwen35.attention.layer_norm_rms_epsilon")
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


async def test_the_forecast_follows_the_spin_box(dialog, sources):
    memory = sources.memory
    box = child(dialog, QSpinBox, "field_forecast_context")
    assert box.value() == 8192
    assert text(dialog, "forecastVerdict").startswith("It fits into the main memory that is free now.")
    assert text(dialog, "forecastVerdict").endswith("slots that share the context, without drafting.")
    assert text(dialog, "forecast_weights") == "5.0 MiB"
    assert text(dialog, "forecast_free") == "8.0 GiB of 16.0 GiB"
    before = text(dialog, "forecast_cache")
    memory.free_bytes = 48 * 2**20
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


async def test_the_memory_of_graphics_cards_is_told_where_it_is_known(dialog, tmp_path):
    assert text(dialog, "forecast_cards") == "unknown (only NVIDIA’s driver is asked)"
    assert "graphics" not in text(dialog, "forecastVerdict")
    card = GraphicsCard("NVIDIA H100", Memory(80 * GIB, 70 * GIB))
    async with shown(demo(tmp_path), FakeSources(graphics=FakeCards(card))) as other:
        await poll(lambda: text(other, "forecast_cards") == "NVIDIA H100: 70.0 GiB of 80.0 GiB")
        assert "All of it fits into the graphics memory that is free now." in text(other, "forecastVerdict")


async def test_a_file_that_is_gone_is_said_so(qapp):
    gone = Model(id=1, path=Path("/no/such.gguf"), facts=some_facts(), problem=None, added_at=0.0, name="such")
    async with shown(gone, FakeSources()) as dialog:
        assert text(dialog, "detailsProblem") == "The file does not exist."
        assert text(dialog, "forecast_total") == "unknown"
        assert text(dialog, "forecastVerdict").startswith("Nothing can be said")
        assert text(dialog, "fact_architecture") == "Llama"
        assert "when the file was read last" in {label.text() for label in dialog.findChildren(QLabel)}


async def test_until_the_header_is_read_that_is_said(qapp, tmp_path):
    async with TaskScope(LogReporter()) as scope:
        dialog = ModelDetailsDialog(ModelDetailsViewModel(demo(tmp_path), FakeSources().all, scope, {}))
        assert text(dialog, "forecastVerdict") == "Reading the file’s header…"
        dialog.reject()
    delete(dialog)


async def test_what_the_header_does_not_tell_is_named(qapp, tmp_path):
    header = GgufHeader(3, "little", 0, {"general.architecture": "new", "new.context_length": 512})
    async with shown(demo(tmp_path), FakeSources(read_header=lambda _path: header)) as dialog:
        assert text(dialog, "forecast_cache") == "unknown"
        verdict = text(dialog, "forecastVerdict")
        assert verdict.startswith("Whether it fits is unknown. The header does not tell new.block_count")


async def test_enter_presses_buttons_and_closes_nothing_from_a_field(dialog, qtbot):
    dialog.activateWindow()
    pages = child(dialog, QTabWidget, "detailsPages")
    pages.setCurrentIndex(DetailsPage.METADATA)
    search = child(dialog, QLineEdit, "searchMetadata")
    search.setFocus()
    qtbot.keyClicks(search, "head_count_kv")
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert dialog.isVisible()
    copy = child(dialog, QPushButton, "detailsCopyMetadata")
    copy.setFocus()
    qtbot.keyClick(copy, Qt.Key.Key_Return)
    assert QApplication.clipboard().text() == "qwen35.attention.head_count_kv\t2"
    close = child(dialog, QPushButton, "detailsClose")
    close.setFocus()
    qtbot.keyClick(close, Qt.Key.Key_Enter)
    assert not dialog.isVisible()


# -- tags and notes


async def test_tags_and_notes_are_saved_by_the_button(dialog, sources, qtbot):
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.NOTES)
    assert not child(dialog, QPushButton, "saveNotes").isEnabled()
    qtbot.keyClicks(child(dialog, QLineEdit, "field_tags"), "coding, fast")
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("good at Rust")
    click(qtbot, dialog, "saveNotes")
    await poll(lambda: sources.keeper.kept == {1: (("coding", "fast"), "good at Rust")})
    await poll(lambda: text(dialog, "notesSaid") == "Saved.")
    assert not child(dialog, QPushButton, "saveNotes").isEnabled()
    qtbot.keyClicks(child(dialog, QLineEdit, "field_tags"), ", x")
    assert text(dialog, "notesSaid") == ""


async def test_closing_saves_what_was_typed(dialog, sources, qtbot):
    child(dialog, QLineEdit, "field_tags").setText("late")
    click(qtbot, dialog, "detailsClose")
    await poll(lambda: not dialog.isVisible())
    assert sources.keeper.kept == {1: (("late",), "")}


async def test_what_cannot_be_saved_stays_until_it_is_given_up(dialog, sources, qtbot):
    sources.keeper.problem = LibraryError("the disk is full")
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
    assert sources.keeper.kept == {}


async def test_the_second_try_may_succeed(dialog, sources):
    sources.keeper.problem = LibraryError("the disk is full")
    child(dialog, QPlainTextEdit, "field_notes").setPlainText("precious")
    dialog.reject()
    await poll(lambda: "The disk is full" in text(dialog, "notesSaid"))
    sources.keeper.problem = None
    child(dialog, QPushButton, "saveNotes").click()
    await poll(lambda: sources.keeper.kept == {1: ((), "precious")})
    assert dialog.isVisible(), "the button does not close"


# -- integrity


async def check(dialog: ModelDetailsDialog) -> str:
    """Presses the button and gives the verdict."""
    await poll(child(dialog, QPushButton, "integrity_check").isEnabled)
    child(dialog, QPushButton, "integrity_check").click()
    await poll(lambda: text(dialog, "integrityVerdict") not in {"", "Reading…", "Cancelled."})
    return text(dialog, "integrityVerdict")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (HashSource.OLLAMA, "its name in Ollama’s store"),
        (HashSource.HUGGING_FACE, "its name in the cache of Hugging Face"),
        (HashSource.DOWNLOAD, "the record of its download from Hugging Face"),
    ],
)
async def test_a_model_is_compared_with_what_is_known_of_it(qapp, tmp_path, sources, source, place):
    model = demo(tmp_path)
    sources.checksums.sums[model.path] = "aa"
    sources.checksums.known_sums[model.path] = KnownHash("aa", source)
    async with shown(model, sources) as dialog:
        await poll(lambda: place in text(dialog, "integrityReference"))
        assert await check(dialog) == "Everything is as it was published."
    sources.checksums.known_sums[model.path] = KnownHash("bb", source)
    async with shown(model, sources) as dialog:
        assert (await check(dialog)).endswith(f"so damaged or changed: {model.path.name}")


async def test_without_a_reference_the_sum_can_be_copied(dialog, sources, tmp_path, qtbot):
    path = tmp_path / "tiny-Q8_0.gguf"
    sources.checksums.sums[path] = "aa"
    child(dialog, QTabWidget, "detailsPages").setCurrentIndex(DetailsPage.INTEGRITY)
    await poll(lambda: text(dialog, "integrityReference").startswith("Nothing on this computer tells"))
    assert child(dialog, QPushButton, "copySums").isHidden()
    assert (await check(dialog)).startswith("These are the sums")
    assert child(dialog, QPlainTextEdit, "integritySums").toPlainText() == f"aa  {path}\n"
    click(qtbot, dialog, "copySums")
    assert QApplication.clipboard().text() == f"aa  {path}\n"


async def test_of_some_parts_alone_something_may_be_known(qapp, tmp_path, sources):
    model = demo(tmp_path)
    parts = (model.path, tmp_path / "2.gguf")
    sources.checksums.known_sums[model.path] = KnownHash("aa", HashSource.DOWNLOAD)
    async with shown(replace(model, parts=parts), sources) as dialog:
        await poll(lambda: text(dialog, "integrityReference").startswith("For 1 of 2 files"))
        assert await check(dialog) == "This could not be checked. The file cannot be read: gone."


async def test_a_check_shows_how_far_it_is_and_can_be_cancelled(qapp, tmp_path, sources):
    model = demo(tmp_path)
    sources.checksums.go_on = threading.Semaphore(2)
    async with shown(replace(model, size_bytes=100), sources) as dialog:
        progress = child(dialog, QProgressBar, "integrityProgress")
        cancel = child(dialog, QPushButton, "integrity_cancel")
        assert cancel.isHidden()
        assert progress.isHidden()
        await poll(child(dialog, QPushButton, "integrity_check").isEnabled)
        child(dialog, QPushButton, "integrity_check").click()
        await poll(lambda: progress.value() == 500)
        assert text(dialog, "integrityVerdict") == "Reading…"
        assert not child(dialog, QPushButton, "integrity_check").isEnabled()
        cancel.click()
        await poll(lambda: text(dialog, "integrityVerdict") == "Cancelled.")
        assert child(dialog, QPushButton, "integrity_check").isEnabled()
        assert not progress.value()
        sources.checksums.go_on.release(100)
        await poll(sources.checksums.ended.is_set)
