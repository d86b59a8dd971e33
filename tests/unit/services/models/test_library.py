"""The list of models: what gets into it, under which name, and what becomes of files that cannot be used."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import NO_SUCH_FILE, Model
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.models.scanning import Scan, ScanBatch
from tests.fakes.library import some_facts


def names(library: Library) -> list[str]:
    return [model.name for model in library.models]


async def test_what_is_added_is_listed_in_that_order(library, files):
    one, two = files.make("one.gguf", some_facts("One")), files.make("two.gguf", some_facts("Two"))
    added = await library.add([two, one])
    assert [model.path for model in added] == [two, one]
    assert names(library) == ["Two", "One"]
    assert library.model(added[0].id) == added[0]
    assert library.model(99) is None


async def test_while_it_is_loaded_no_model_is_without_its_name(library, repository, files):
    (model,) = await library.add([files.make("one.gguf", some_facts("One"))])
    again = Library(repository, files)
    seen: set[str] = set()
    loading = asyncio.ensure_future(again.load())
    while not loading.done():
        known = again.model(model.id)
        seen |= {known.name} if known is not None else set()
        await asyncio.sleep(0)
    assert seen == {"One"}


async def test_what_is_added_while_it_is_loaded_is_not_lost(library, repository, files, monkeypatch):
    one, two = (files.make(f"{name}.gguf", some_facts(name.title())) for name in ("one", "two"))
    (gone, _kept) = await library.add([one, two])
    await library.remove(gone.id)
    again, removed = Library(repository, files), repository.removed

    async def meanwhile() -> Sequence[Model]:
        found: Sequence[Model] = await removed()
        await again.add([files.make("three.gguf", some_facts("Three"))])
        await again.bring_back(one)
        return found

    monkeypatch.setattr(repository, "removed", meanwhile)
    await again.load()
    assert names(again) == ["One", "Two", "Three"]


async def test_listeners_hear_of_changes_and_of_nothing_else(library, files):
    path = files.make("one.gguf", some_facts())
    told: list[Sequence[Model]] = []
    library.subscribe(told.append)
    (model,) = await library.add([path])
    await library.add([path])
    await library.remove(model.id)
    await library.remove(model.id)
    assert told == [(model,), ()]


async def test_one_file_is_one_model_whatever_it_is_called(library, files, tmp_path):
    path = files.make("one.gguf", some_facts())
    link = tmp_path / "link.gguf"
    link.symlink_to(path)
    roundabout = path.parent / ".." / path.parent.name / path.name
    added = await library.add([link, path, roundabout])
    assert [model.path for model in added] == [path]
    assert await library.add([link]) == added
    assert len(library.models) == 1


async def test_a_folder_stands_for_the_models_below_it(library, files):
    deep = files.make("a/b/deep.gguf", some_facts("Deep"))
    flat = files.make("flat.gguf", some_facts("Flat"))
    files.make("readme.txt")
    (flat.parent / "link.gguf").symlink_to(deep)
    added = await library.add([flat.parent])
    assert {model.path for model in added} == {deep, flat}


async def test_an_empty_folder_adds_nothing(library, tmp_path):
    assert await library.add([tmp_path / "data"]) == ()
    assert library.models == ()


async def test_a_file_that_is_no_model_is_listed_with_the_reason(library, files):
    (bad,) = await library.add([files.make("bad.gguf")])
    (gone,) = await library.add([Path("/nowhere/gone.gguf")])
    assert (bad.name, bad.facts, bad.problem) == ("bad", None, "this is not a GGUF file")
    assert (gone.name, gone.problem) == ("gone", NO_SUCH_FILE)


async def test_a_bad_file_harms_no_other(library, files):
    good, bad = files.make("good.gguf", some_facts("Good")), files.make("bad.gguf")
    await library.add([bad, good])
    assert [(model.name, model.problem is None) for model in library.models] == [("bad", False), ("Good", True)]


async def test_a_file_that_went_keeps_its_facts_and_comes_back(repository, files):
    path = files.make("one.gguf", some_facts("One"))
    await Library(repository, files).add([path])
    path.unlink()
    later = Library(repository, files)
    await later.load()
    await later.scan()
    (model,) = later.models
    assert (model.name, model.problem) == ("One", NO_SUCH_FILE)
    files.make("one.gguf", some_facts("One"))
    latest = Library(repository, files)
    await latest.load()
    await latest.scan()
    (again,) = latest.models
    assert (again.id, again.added_at) == (model.id, model.added_at)
    assert again.problem is None


async def test_a_file_that_changed_is_read_again(repository, files):
    await Library(repository, files).add([files.make("one.gguf", some_facts("Old"))])
    files.make("one.gguf", some_facts("New", mtp_layers=1))
    later = Library(repository, files)
    await later.load()
    await later.scan()
    assert names(later) == ["New"]
    assert later.models[0].mtp_layers == 1


async def test_what_is_stored_is_shown_before_any_file_is_looked_at(repository, files):
    path = files.make("one.gguf", some_facts("One"))
    await Library(repository, files).add([path])
    path.unlink()
    later = Library(repository, files)
    told: list[Sequence[Model]] = []
    later.subscribe(told.append)
    await later.load()
    await later.scan()
    assert [[model.problem for model in models] for models in told] == [[None], [NO_SUCH_FILE]]


async def test_removing_leaves_the_file(library, files):
    path = files.make("one.gguf", some_facts())
    (model,) = await library.add([path])
    await library.remove(model.id)
    assert library.models == ()
    assert path.exists()


@pytest.mark.parametrize("how", ["bring_back", "add"])
async def test_a_removed_model_comes_back_as_it_was_and_where_it_stood(library, files, how):
    path = files.make("one.gguf", some_facts("One"))
    (model,) = await library.add([path])
    await library.add([files.make("two.gguf", some_facts("Two"))])
    await library.save_launch_options(model.id, LaunchOptions(port=9123))
    await library.remove(model.id)
    assert list(await library.removed()) == [path]
    assert names(library) == ["Two"]
    if how == "bring_back":
        assert await library.bring_back(path) == model
        assert names(library) == ["One", "Two"]
    else:
        assert await library.add([path]) == (model,)
    assert library.model(model.id) == model
    assert await library.launch_options(model.id) == LaunchOptions(port=9123)
    assert list(await library.removed()) == []


async def test_a_removed_model_whose_file_is_gone_comes_back_too(library, files):
    path = files.make("one.gguf", some_facts("One"))
    (model,) = await library.add([path])
    await library.remove(model.id)
    path.unlink()
    assert await library.bring_back(path) == model


async def test_what_an_earlier_version_removed_can_be_brought_back(library, repository, files):
    path = files.make("one.gguf", some_facts("One"))
    await repository.file.execute(
        "INSERT INTO passed_over (path, removed, tags, notes) VALUES (?, 1, '[\"mine\"]', 'words')", (str(path),)
    )
    assert list(await library.removed()) == [path]
    model = await library.bring_back(path)
    assert (model.name, model.tags, model.notes) == ("One", ("mine",), "words")


async def test_the_demo_model_is_made_once(library):
    demo = await library.create_demo()
    assert demo is not None
    assert demo.name == "Demo model"
    assert await library.create_demo() == demo
    assert len(library.models) == 1


async def test_the_demo_model_is_not_found_where_scanning_was_stopped(library, monkeypatch):
    next_batch = Scan.next_batch

    def stopped(scan: Scan, limit_s: float) -> ScanBatch:
        scan.stop()
        return next_batch(scan, limit_s)

    monkeypatch.setattr(Scan, "next_batch", stopped)
    assert await library.create_demo() is None


async def test_no_two_models_are_called_the_same(library, files):
    first = files.make("first.gguf", some_facts("Same", quantisation="Q4_K_M"))
    (model,) = await library.add([first])
    assert model.name == "Same"
    await library.add([files.make("second.gguf", some_facts("Same", quantisation="Q8_0"))])
    assert names(library) == ["Same Q4_K_M", "Same Q8_0"]
    await library.add([files.make("third.gguf", some_facts("Same", quantisation="Q8_0"))])
    assert len(set(names(library))) == 3


async def test_what_was_chosen_is_kept_for_each_model(library, files):
    one, two = await library.add([files.make("one.gguf", some_facts("1")), files.make("two.gguf", some_facts("2"))])
    await library.save_launch_options(one.id, LaunchOptions(context_size=512))
    assert await library.launch_options(one.id) == LaunchOptions(context_size=512)
    assert await library.launch_options(two.id) == LaunchOptions()


async def test_storage_that_cannot_be_used_is_said(tmp_path, files):
    (tmp_path / "library.sqlite").mkdir()
    repository = SqliteModelRepository(LibraryFile(tmp_path / "library.sqlite"))
    with pytest.raises(LibraryError, match="cannot be used"):
        await Library(repository, files).load()
    await repository.file.aclose()


async def test_a_model_keeps_its_name_when_another_of_that_name_is_removed(library, repository, files):
    paths = [files.make(f"{name}.gguf", some_facts("Tiny", quantisation=name)) for name in ("Q4_K_M", "Q8_0")]
    first, second = await library.add(paths)
    names = ["Tiny Q4_K_M", "Tiny Q8_0"]
    assert [model.name for model in library.models] == names
    await library.remove(second.id)
    assert [model.name for model in library.models] == names[:1]
    later = Library(repository, files)
    await later.load()
    assert [model.name for model in later.models] == names[:1], "also at the next start"
    await later.add([paths[1]])
    assert [model.name for model in later.models] == names
    await later.remove(first.id)
    await later.bring_back(first.path)
    assert [model.name for model in later.models] == names
