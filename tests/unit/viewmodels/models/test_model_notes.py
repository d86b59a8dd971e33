"""Tags and notes: when they are saved, and that nothing typed is lost."""

import asyncio
from pathlib import Path

import pytest

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.models.model_notes import ModelNotesViewModel, NotesDraft
from tests.fakes.details import FakeKeeper
from tests.fakes.library import some_facts
from tests.fakes.program import Program
from tests.fakes.waiting import poll, tasks_done

MODEL = Model(7, Path("/m.gguf"), None, None, 0.0, "m", tags=("one", "two"), notes="old")


@pytest.fixture
def keeper() -> FakeKeeper:
    return FakeKeeper()


@pytest.fixture
async def form(qapp, keeper, scope) -> ModelNotesViewModel:
    return ModelNotesViewModel(MODEL, keeper, scope)


async def test_the_form_begins_with_what_is_kept(form):
    assert form.draft == NotesDraft("one, two", "old")
    assert not form.is_changed
    form.edit(tags="One,two ,")
    assert form.is_changed
    form.edit(tags="one,two")
    assert not form.is_changed, "only the commas differ"


async def test_it_saves_by_itself_after_a_moment(form, keeper):
    heard: list[NotesDraft] = []
    form.draftChanged.connect(heard.append)
    for typed in ("n", "ne", "new"):
        form.edit(notes=typed)
    form.edit(notes="new")
    assert [draft.notes for draft in heard] == ["n", "ne", "new"]
    await poll(lambda: keeper.kept == {7: (("one", "two"), "new")})
    assert keeper.calls == 1
    assert not form.is_changed


async def test_what_is_typed_while_saving_is_saved_too(form, keeper):
    keeper.gate = asyncio.Event()
    form.edit(notes="first")
    form.save.trigger()
    await poll(lambda: keeper.calls == 1)
    form.edit(notes="second")
    form.save.trigger()
    keeper.gate.set()
    await poll(lambda: not form.save.is_busy)
    assert keeper.kept == {7: (("one", "two"), "second")}
    assert not form.is_changed


async def test_what_cannot_be_saved_stays(form, keeper):
    problem = keeper.problem = LibraryError("full")
    failed: list[LibraryError] = []
    form.failed.connect(failed.append)
    form.edit(notes="precious")
    form.save.trigger()
    await poll(lambda: failed == [problem])
    assert form.is_changed
    assert form.draft.notes == "precious"


async def test_saving_nothing_new_asks_nobody(form, keeper):
    saved: list[bool] = []
    form.saved.connect(lambda: saved.append(True))
    form.save.trigger()
    await poll(lambda: saved == [True])
    form._on_pause()
    assert keeper.calls == 0


# -- in the program


async def test_tags_and_notes_are_found_and_survive_a_scan_and_a_move(program: Program):
    path = program.files.make("a/Tiny.gguf", some_facts("Tiny"))
    program.app.library.add([path.parents[1]])
    await poll(lambda: program.models.total == 1)
    await tasks_done("add models")
    (model,) = program.library.models
    details = program.app.library.details(model.id)
    assert details is not None
    details.notes.edit(tags="Coding", notes="Good at\nRust")
    details.notes.save.trigger()
    await poll(lambda: program.library.models[0].tags == ("Coding",))
    for sought in ("#coding", "coding", "rust"):
        program.models.search(sought)
        assert [row.facts for row in program.models.table.rows] == ["1.2 M params · 3.0 MiB · #Coding · Llama"]
    moved = path.parents[1] / "b" / "Other.gguf"
    moved.parent.mkdir()
    path.rename(moved)
    program.files._facts[moved] = some_facts("Tiny")
    await program.library.scan()
    (kept,) = program.library.models
    assert (kept.id, kept.path) == (model.id, moved)
    assert (kept.tags, kept.notes) == (("Coding",), "Good at\nRust")


async def test_words_about_a_model_that_has_gone_are_not_lost_silently(program: Program):
    model = await program.add("Tiny")
    details = program.app.library.details(model.id)
    assert details is not None
    await program.library.remove(model.id)
    failed: list[LibraryError] = []
    details.notes.failed.connect(failed.append)
    details.notes.edit(notes="too late")
    details.notes.save.trigger()
    await poll(lambda: len(failed) == 1)
    assert details.notes.is_changed
