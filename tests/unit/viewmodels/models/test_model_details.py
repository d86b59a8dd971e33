"""What the details of a model say, without a dialog."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from gglib_desktop.adapters.gguf.demo_model import DemoArchitecture, DemoSpec, write_demo_model
from gglib_desktop.adapters.gguf.header import read_header
from gglib_desktop.adapters.machine.memory import PsutilMemory
from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.forecast import Fit, GraphicsCard, Memory
from gglib_desktop.domain.gguf.header import GgufValueType, SkippedArray, SkippedString, facts_from_header
from gglib_desktop.domain.models.model import Model
from gglib_desktop.tasks import LogReporter, TaskScope
from gglib_desktop.viewmodels.models.model_details import MetadataTable, ModelDetailsViewModel, together
from gglib_desktop.viewmodels.models.model_facts import FactName, value_text
from tests.fakes.details import GIB, FakeCards, FakeSources
from tests.fakes.waiting import poll


def demo(folder: Path) -> Model:
    path = write_demo_model(folder / "tiny-Q8_0.gguf", DemoSpec(architecture=DemoArchitecture.QWEN35_MTP))
    facts = facts_from_header(read_header(path), file_name=path.name, file_size_bytes=path.stat().st_size)
    return Model(id=1, path=path, facts=facts, problem=None, added_at=0.0, name="Tiny")


@pytest.fixture
async def scope(qapp) -> AsyncIterator[TaskScope]:
    async with TaskScope(LogReporter()) as scope:
        yield scope


async def loaded(model: Model, scope: TaskScope, sources: FakeSources | None = None) -> ModelDetailsViewModel:
    details = ModelDetailsViewModel(model, (sources or FakeSources()).all, scope, {})
    assert details.state.loading
    await poll(lambda: not details.state.loading)
    return details


async def test_the_forecast_follows_the_context_and_the_memory(scope, tmp_path):
    sources = FakeSources()
    memory = sources.memory
    details = await loaded(demo(tmp_path), scope, sources)
    state = details.state
    assert (state.context, state.longest_context, state.fitting_context) == (8192, 8192, 8192)
    assert state.fit is Fit.FITS
    assert state.forecast is not None
    assert state.forecast.weights_bytes == demo(tmp_path).path.stat().st_size
    memory.free_bytes = 1
    details.set_context(4096)
    assert (details.state.context, details.state.fit, details.state.fitting_context) == (4096, Fit.DOES_NOT_FIT, 0)
    memory.free_bytes = None
    details.set_context(2048)
    assert (details.state.fit, details.state.fitting_context) == (Fit.UNKNOWN, None)


async def test_a_model_that_is_not_whole_has_no_known_size(scope, tmp_path):
    whole = demo(tmp_path)
    part = Model(id=1, path=whole.path, facts=whole.facts, problem="part 2 of 2 is missing", added_at=0.0, name="Tiny")
    details = await loaded(part, scope)
    assert details.state.problem == "part 2 of 2 is missing"
    assert details.state.fit is Fit.UNKNOWN


async def test_a_header_that_cannot_be_read_says_why(scope, tmp_path):
    gone = Model(id=1, path=tmp_path / "gone.gguf", facts=None, problem=None, added_at=0.0, name="gone")
    details = await loaded(gone, scope)
    assert details.state.problem == "the file does not exist"
    assert (details.state.forecast, details.state.fit) == (None, Fit.UNKNOWN)
    assert [fact.name for fact in details.state.facts] == [FactName.ADDED]
    details.set_context(4096)
    assert details.state.forecast is None


async def test_without_facts_the_header_still_speaks(scope, tmp_path):
    whole = demo(tmp_path)
    bare = Model(id=1, path=whole.path, facts=None, problem=None, added_at=0.0, name="Tiny")
    details = await loaded(bare, scope)
    names = {fact.name for fact in details.state.facts}
    assert FactName.LAYERS in names
    assert FactName.SIZE not in names


async def test_after_closing_nothing_more_is_said(scope, tmp_path):
    def never(path: Path):
        raise InvalidModelFile(path, "read after all")

    details = ModelDetailsViewModel(demo(tmp_path), FakeSources(read_header=never).all, scope, {})
    told: list[object] = []
    details.stateChanged.connect(told.append)
    details.close()
    await asyncio.sleep(0)
    await scope.aclose()
    assert told == []


async def test_the_memory_of_all_cards_together_is_judged_too(scope, tmp_path):
    cards = [GraphicsCard("one", Memory(8 * GIB, GIB)), GraphicsCard("two", Memory(8 * GIB, GIB))]
    details = await loaded(demo(tmp_path), scope, FakeSources(graphics=FakeCards(*cards)))
    await poll(lambda: details.state.cards == tuple(cards))
    assert (details.state.fit_on_cards, details.state.fitting_context_on_cards) == (Fit.FITS, 8192)
    assert together(cards) == Memory(16 * GIB, 2 * GIB)
    without = await loaded(demo(tmp_path), scope)
    assert (without.state.fit_on_cards, without.state.fitting_context_on_cards) == (Fit.UNKNOWN, None)
    small = FakeCards(GraphicsCard("small", Memory(GIB, 1)))
    too_large = await loaded(demo(tmp_path), scope, FakeSources(graphics=small))
    await poll(lambda: too_large.state.fit_on_cards is Fit.DOES_NOT_FIT)
    assert too_large.state.fit is Fit.FITS


# -- raw metadata


async def test_metadata_is_searched_by_every_word_in_key_or_value(scope, tmp_path):
    details = await loaded(demo(tmp_path), scope)
    table = details.metadata
    count = table.rowCount()
    assert count > 20
    table.search("HEAD kv")
    assert table.rows == [("qwen35.attention.head_count_kv", "2")]
    assert table.text([0]) == "qwen35.attention.head_count_kv\t2"
    table.search("")
    assert table.rowCount() == count


def test_a_cell_is_one_line_and_its_tool_tip_all_of_it(qapp):
    table = MetadataTable()
    table.fill({"a": "one\n  two", "b": 3})
    index = table.index(0, 1)
    assert index.data() == "one two"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "one\n  two"
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    assert table.data(table.index(-1, 0)) is None
    assert table.rowCount(index) == table.columnCount(index) == 0


def test_the_table_behaves_as_views_expect(qapp, qtmodeltester):
    table = MetadataTable()
    table.fill({"a": 1, "b": 2})
    qtmodeltester.check(table)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (9.999999974752427e-07, "1e-06"),
        ("x", "x"),
        ((1, 2), "1, 2"),
        (SkippedString(1234567), "(1,234,567 bytes of text, not kept)"),
        (SkippedArray(GgufValueType.STRING, 150000), "(150,000 values of type string)"),
    ],
)
def test_values_as_text(value, text):
    assert value_text(value) == text


def test_the_memory_of_this_computer():
    memory = PsutilMemory().read()
    assert memory is not None
    assert 0 < memory.free_bytes <= memory.total_bytes
