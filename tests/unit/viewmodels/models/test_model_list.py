"""The rows of the model list, the search, and what is selected."""

import asyncio
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.health import Usage
from gglib_desktop.domain.servers.states import Crashed, Healthy, Starting, handle_of
from gglib_desktop.services.servers.snapshot import ServerRemoved, ServerSnapshot, ServerUsed
from gglib_desktop.services.servers.supervisor import ServerList
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel, RowRole
from gglib_desktop.viewmodels.models.model_row import ModelRow, SortKey, model_row
from tests.fakes.library import some_facts
from tests.fakes.program import Program
from tests.fakes.waiting import poll, tasks_done


def names(program: Program) -> list[str]:
    return [row.name for row in program.models.table.rows]


@pytest.fixture
async def filled(program: Program) -> Program:
    for name, quantisation in (("Qwen Large", "Q4_K_M"), ("Qwen Small", "Q8_0"), ("Gemma", "F16")):
        await program.add(name, some_facts(name, quantisation=quantisation))
    return program


# -- rows


def test_a_row_says_what_is_known(tmp_path):
    facts = some_facts("Tiny", mtp_layers=1, quantisation="Q4_K_M")
    row = model_row(Model(3, tmp_path / "t.gguf", facts, None, 0.0, "Tiny"), None)
    assert (row.id, row.name, row.quantisation) == (3, "Tiny", "Q4_K_M")
    assert row.facts == "1.2 M params · 3.0 MiB · Llama"
    assert row.badges == ("MTP",)
    assert row.accessible_text == "Tiny, Q4_K_M, 1.2 M params · 3.0 MiB · Llama · MTP"


def test_a_row_of_a_file_that_cannot_be_read_says_why(tmp_path):
    row = model_row(Model(3, tmp_path / "t.gguf", None, "there is no such file", 0.0, "t"), Starting(0.0))
    assert row.accessible_text == "t, there is no such file, Starting"
    assert (row.facts, row.quantisation) == ("", "")


async def test_the_table_gives_text_names_paths_and_the_row_itself(filled):
    table = filled.models.table
    index = table.index(0, 0)
    row = index.data(RowRole)
    assert isinstance(row, ModelRow)
    assert index.data() == "Qwen Large"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == row.accessible_text
    assert index.data(Qt.ItemDataRole.ToolTipRole) == row.path
    assert index.data(Qt.ItemDataRole.DecorationRole) is None
    assert table.data(table.index(-1, 0)) is None
    assert table.rowCount(index) == table.columnCount(index) == 0


async def test_the_table_behaves_as_views_expect(filled, qtmodeltester):
    qtmodeltester.check(filled.models.table)


# -- search


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["Qwen Large", "Qwen Small", "Gemma"]),
        ("qwen", ["Qwen Large", "Qwen Small"]),
        ("SMALL qwen", ["Qwen Small"]),
        ("q8_0", ["Qwen Small"]),
        ("gemma.gguf", ["Gemma"]),
        ("llama", ["Qwen Large", "Qwen Small", "Gemma"]),
        ("qwen gemma", []),
        ("   ", ["Qwen Large", "Qwen Small", "Gemma"]),
    ],
)
async def test_every_word_must_occur_somewhere(filled, words, found):
    filled.models.search(words)
    assert names(filled) == found
    assert filled.models.total == 3


async def test_a_model_that_is_added_shows_only_if_it_matches(filled):
    filled.models.search("qwen")
    await filled.add("Phi")
    assert names(filled) == ["Qwen Large", "Qwen Small"]
    filled.models.search("")
    assert names(filled)[-1] == "Phi"


def test_what_is_sought_does_not_run_from_one_field_into_the_next(tmp_path):
    row = model_row(Model(3, tmp_path / "t.gguf", some_facts("Tiny", quantisation="Q8_0"), None, 0.0, "Tiny"), None)
    assert "tiny" in row.search_key
    assert "tiny q8_0" not in row.search_key


# -- sorting


@pytest.fixture
async def various(program: Program) -> Program:
    for name, size, parameters in (("b 13B", 30, 13), ("a 7b", 10, None), ("B 7B", 20, 7)):
        facts = replace(some_facts(name), file_size_bytes=size, parameter_count=parameters)
        await program.add(name, facts)
    program.app.library.add([program.files.make("x.gguf")])
    await poll(lambda: program.models.total == 4)
    await tasks_done("add models")
    return program


@pytest.mark.parametrize(
    ("key", "up", "down"),
    [
        (SortKey.ADDED, ["b 13B", "a 7b", "B 7B", "x"], ["x", "B 7B", "a 7b", "b 13B"]),
        (SortKey.NAME, ["a 7b", "B 7B", "b 13B", "x"], ["x", "b 13B", "B 7B", "a 7b"]),
        (SortKey.SIZE, ["a 7b", "B 7B", "b 13B", "x"], ["b 13B", "B 7B", "a 7b", "x"]),
        (SortKey.PARAMETERS, ["B 7B", "b 13B", "a 7b", "x"], ["b 13B", "B 7B", "a 7b", "x"]),
    ],
)
async def test_models_are_sorted_and_what_is_unknown_comes_last(various, key, up, down):
    models = various.models
    models.order.sort(key, descending=False)
    assert names(various) == up
    models.order.sort(key, descending=True)
    assert names(various) == down


async def test_a_search_and_new_models_keep_the_order(various):
    models, told = various.models, []
    models.order.changed.connect(lambda: told.append(models.order.key))
    models.order.sort(SortKey.NAME, descending=False)
    models.order.sort(SortKey.NAME, descending=False)
    models.search("b")
    await various.add("A 1B", some_facts("A 1B"))
    assert names(various) == ["A 1B", "a 7b", "B 7B", "b 13B"]
    assert told == [SortKey.NAME]


async def test_a_state_does_not_disturb_the_order(various):
    models = various.models
    models.order.sort(SortKey.SIZE, descending=True)
    model = next(m for m in various.library.models if m.name == "B 7B")
    various.start(model)
    await poll(lambda: isinstance(models.table.rows[1].state, Healthy))
    models.search("13")
    await various.supervisor.stop_all()
    models.search("")
    assert names(various) == ["b 13B", "B 7B", "a 7b", "x"]
    assert [row.state for row in models.table.rows] == [None] * 4


async def test_what_was_used_last_is_sorted_by_that(filled):
    first, second, _third = filled.library.models
    await filled.library.note_used(second.id)
    await filled.library.note_used(first.id)
    filled.models.order.sort(SortKey.LAST_USED, descending=True)
    assert names(filled) == ["Qwen Large", "Qwen Small", "Gemma"]
    filled.models.order.sort(SortKey.LAST_USED, descending=False)
    assert names(filled) == ["Qwen Small", "Qwen Large", "Gemma"]


# -- many models


async def many(program: Program, count: int) -> None:
    paths = [program.files.make(f"many/m{number}.gguf", some_facts(f"Many {number}")) for number in range(count)]
    program.app.library.add([paths[0].parent])
    await poll(lambda: program.models.total == count)
    await tasks_done("add models")


async def test_many_models_are_listed_with_their_states_and_the_first_is_asked_for(program):
    asked: list[int] = []
    program.models.selectRequested.connect(asked.append)
    await many(program, 450)
    await poll(lambda: asked == [program.library.models[0].id])
    model = program.library.models[400]
    program.start(model)
    again = ModelListViewModel(program.library, program.supervisor, program.scope)
    assert again.total == 0, "that many are listed in a thread"
    again.request(model.id)
    heard: list[int] = []
    again.selectRequested.connect(heard.append)
    await poll(lambda: again.total == 450)
    await poll(lambda: heard == [model.id])
    assert again.table.rows[400].state is not None
    assert [row.id for row in again.table.rows] == [row.id for row in program.models.table.rows]
    again.close()


async def test_what_happens_while_many_are_listed_is_not_lost(program):
    await many(program, 300)
    model = program.library.models[7]
    program.start(model)
    await poll(lambda: program.models.table.rows[7].state is not None)
    again = ModelListViewModel(program.library, program.supervisor, program.scope)
    await program.library.remove(program.library.models[0].id)
    await program.supervisor.stop_all()
    await poll(lambda: again.total == 299)
    assert {row.state for row in again.table.rows} == {None}
    closed = ModelListViewModel(program.library, program.supervisor, program.scope)
    closed.close()
    assert closed._rows.making is not None
    await asyncio.wait({closed._rows.making})
    assert closed.total == 0


class CountingDict(dict):  # type: ignore[type-arg]
    """Counts what is looked up in it."""

    looked_up = 0

    def __getitem__(self, key):
        self.looked_up += 1
        return super().__getitem__(key)


async def test_a_key_stroke_looks_at_no_row(program):
    await many(program, 300)
    models = program.models
    known = models._arrangement.known = CountingDict(models._arrangement.known)
    for text, found in (("m", 300), ("m29.gguf many", 1), ("9.gguf", 30), ("", 300)):
        models.search(text)
        assert models.table.rowCount() == found
    assert known.looked_up == 0
    assert len(models.table.rows) == known.looked_up == 300, "it counts"


async def test_of_many_changed_rows_a_view_is_told_at_once(program):
    await many(program, 100)
    table, told = program.models.table, []
    table.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    known = program.models._arrangement.known
    table.show(list(table.ids), known, table.ids[:10])
    assert told == [(row, row) for row in range(10)]
    told.clear()
    table.show(list(table.ids), known, table.ids[:50])
    assert told == [(0, 99)]


async def test_new_notes_are_found_and_change_their_own_row_alone(filled):
    changed: list[int] = []
    filled.models.table.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    await filled.library.describe(filled.library.models[1].id, (), "for the garden")
    assert changed == [1]
    filled.models.search("garden")
    assert names(filled) == ["Qwen Small"]


# -- states


async def test_a_row_shows_the_state_of_its_live_server(filled):
    model = filled.library.models[0]

    def state() -> object:
        return filled.models.table.rows[0].state

    server_id = filled.start(model)
    assert isinstance(state(), Starting)
    await poll(lambda: isinstance(state(), Healthy))
    filled.supervisor.start(filled.supervisor.server(server_id).config, another=True)
    assert isinstance(state(), Healthy), "the first one counts"
    await filled.supervisor.stop(server_id)
    assert state() is not None, "its second server lives"
    await filled.supervisor.stop_all()
    assert state() is None
    assert [row.state for row in filled.models.table.rows] == [None, None, None]


class CountedServers(ServerList):
    """Counts how often all servers were looked at."""

    looks = 0

    @property
    def servers(self) -> tuple[ServerSnapshot, ...]:
        self.looks += 1
        return super().servers


async def test_what_a_server_used_lets_the_list_look_at_no_server(filled):
    servers = CountedServers()
    shown = ModelListViewModel(filled.library, servers, filled.scope)
    looks = servers.looks
    servers._events.emit(ServerUsed(1, Usage(1.0, 1)))
    assert servers.looks == looks
    servers._events.emit(ServerRemoved(1))
    assert servers.looks > looks, "it counts"
    shown.close()


async def test_a_row_shows_a_failure_until_it_is_dismissed_or_another_server_lives(filled):
    model = filled.library.models[0]

    def state() -> object:
        return filled.models.table.rows[0].state

    crashed = filled.start(model)
    other = filled.supervisor.start(filled.supervisor.server(crashed).config, another=True)
    await poll(lambda: all(isinstance(server.state, Healthy) for server in filled.supervisor.servers))
    filled.runner.crash(handle_of(filled.supervisor.server(crashed).state))
    await poll(lambda: isinstance(filled.supervisor.server(crashed).state, Crashed))
    assert isinstance(state(), Healthy), "its second server lives"
    await filled.supervisor.stop(other)
    assert isinstance(state(), Crashed)
    assert filled.models.table.rows[0].accessible_text.endswith(", Crashed")
    filled.supervisor.dismiss(crashed)
    assert state() is None


async def test_a_state_changes_its_own_row_and_no_other(filled):
    changed: list[int] = []
    filled.models.table.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    server_id = filled.start(filled.library.models[1])
    await poll(lambda: isinstance(filled.supervisor.server(server_id).state, Healthy))
    assert set(changed) == {1}


# -- selection


async def test_what_is_selected_is_told_once(filled):
    models, told = filled.models, []
    models.selectionChanged.connect(lambda: told.append(models.selected and models.selected.name))
    first = filled.library.models[0].id
    models.select(first)
    models.select(first)
    models.select(None)
    assert told == ["Qwen Large", None]


async def test_a_selected_row_that_the_search_hides_is_not_selected(filled):
    models = filled.models
    models.select(filled.library.models[2].id)
    models.search("qwen")
    hidden = models.selected
    models.search("")
    assert (hidden, models.selected.name) == (None, "Gemma")


async def test_a_selected_model_that_goes_is_not_selected(filled):
    models = filled.models
    models.select(filled.library.models[2].id)
    await filled.library.remove(filled.library.models[2].id)
    assert models.selected is None
    assert models.table.row_of(99) is None


async def test_after_closing_it_hears_nothing_more(filled):
    models = ModelListViewModel(filled.library, filled.supervisor, filled.scope)
    models.close()
    await filled.library.remove(filled.library.models[0].id)
    assert models.total == 3


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", [SortKey.ADDED, SortKey.NAME])
async def test_however_the_list_came_about_it_is_as_if_made_anew(program, key, descending):
    shown, library = program.models, program.library
    shown.order.sort(key, descending=descending)

    def check() -> None:
        anew = ModelListViewModel(library, program.supervisor, program.scope)
        anew.order.sort(key, descending=descending)
        assert shown.table.rows == anew.table.rows
        assert shown.filter.choices == anew.filter.choices
        anew.close()

    first = await program.add("Beta", some_facts("Beta", quantisation="Q4_K_M"))
    check()
    second = await program.add("Alpha", some_facts("Alpha", quantisation="Q8_0", mtp_layers=1))
    check()
    await library.describe(first.id, ("tag",), "note")
    check()
    for name in ("Gamma", "Delta"):
        program.files.make(f"folder/{name}.gguf", some_facts(name, quantisation="F16"))
    await library.add([first.path.parent / "folder"])
    check()
    await library.add([program.files.make("folder/Late.gguf", some_facts("Late"))])
    check()
    await library.remove(second.id)
    check()
    await library.add([second.path, program.files.make("folder/Last.gguf", some_facts("Last"))])
    check()
    await library.folders.remove(first.path.parent / "folder")
    check()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", [SortKey.NAME, SortKey.SIZE, SortKey.LAST_USED])
async def test_a_few_new_models_come_where_sorting_all_would_put_them(program, key, descending):
    sizes = (5, 3, 3, 9, 1)
    for number in range(60):
        facts = replace(some_facts(f"Model {number % 7}"), file_size_bytes=sizes[number % 5])
        path = program.files.make(f"many/m{number}.gguf", None if number % 11 == 0 else facts)
    await program.library.add([path.parent])
    await poll(lambda: program.models.total == 60)
    program.models.order.sort(key, descending=descending)
    for number in range(3):
        facts = replace(some_facts(f"Model {number}"), file_size_bytes=3)
        paths = [program.files.make(f"later/{number}.gguf", facts), program.files.make(f"later/bad{number}.gguf")]
        await program.library.add(paths)
    await poll(lambda: program.models.total == 66)
    anew = ModelListViewModel(program.library, program.supervisor, program.scope)
    await poll(lambda: anew.total == 66)
    anew.order.sort(key, descending=descending)
    assert program.models.table.ids == anew.table.ids
    anew.close()


async def test_a_row_is_found_however_the_list_has_changed(filled):
    table = filled.models.table

    def numbers():
        return [table.row_of(row.id) for row in table.rows]

    assert numbers() == [0, 1, 2]
    gone = table.rows[0].id
    seen_while_changing = []
    table.rowsRemoved.connect(lambda *_: seen_while_changing.append(numbers()))
    filled.models.search("small")
    assert numbers() == [0]
    assert table.row_of(gone) is None
    assert all(seen == list(range(len(seen))) for seen in seen_while_changing)
    filled.models.search("")
    filled.models.order.sort(SortKey.NAME, descending=True)
    assert numbers() == [0, 1, 2]
