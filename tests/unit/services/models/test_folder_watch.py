"""The library follows what happens in its folders while the program runs."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from gglib_desktop.adapters.files.file_watch import InotifyFileWatch
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.services.models import library as library_module
from gglib_desktop.services.models.folder_watch import FolderWatch
from gglib_desktop.services.models.library import Library
from tests.fakes.file_watch import FakeFileWatch
from tests.fakes.library import FakeModelFiles, some_facts
from tests.fakes.waiting import poll

REST_S = 0.05


@pytest.fixture
def watch() -> FakeFileWatch:
    return FakeFileWatch()


@pytest.fixture
async def folder(library, files, watch, scope) -> Path:
    """A folder of the library with one model in it, and followed."""
    one = files.make("folder/one.gguf", some_facts("One"))
    await library.add([one.parent])
    FolderWatch(library, watch, scope, rest_s=REST_S).begin()
    await poll(lambda: watch.watched == [one.parent])
    return Path(one.parent)


def names(library: Library) -> list[str]:
    return sorted(model.name for model in library.models)


async def test_a_new_file_is_listed(library, files, watch, folder):
    watch.tell(files.make("folder/new.gguf", some_facts("New")), files.make("folder/readme.txt"))
    await poll(lambda: names(library) == ["New", "One"])
    files.examined.clear()
    watch.tell(files.make("folder/third.gguf", some_facts("Third")))
    await poll(lambda: "Third" in names(library))
    assert files.examined == [folder / "third.gguf"], "what did not change is not read again"


async def test_a_deleted_file_is_marked_and_comes_back(library, files, watch, folder):
    (model,) = library.models
    model.path.unlink()
    watch.tell(model.path)
    await poll(lambda: library.models[0].missing)
    watch.tell(files.make("folder/one.gguf", some_facts("One")))
    await poll(lambda: not library.models[0].missing)
    assert [each.id for each in library.models] == [model.id]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_moved_file_is_the_same_model(library, files, watch, folder, at_once):
    (model,) = library.models
    model.path.unlink()
    if not at_once:
        watch.tell(model.path)
        await poll(lambda: library.models[0].missing)
    new = files.make("folder/deep/other.gguf", some_facts("One"))
    watch.tell(model.path, folder / "deep")
    await poll(lambda: library.models[0].path == new)
    assert [(each.id, each.missing) for each in library.models] == [(model.id, False)]


async def test_folders_come_and_go_as_a_whole(library, files, watch, folder, tmp_path):
    files.make("folder/sub/a.gguf", some_facts("A"))
    files.make("folder/sub/deep/b.gguf", some_facts("B"))
    watch.tell(folder / "sub")
    await poll(lambda: names(library) == ["A", "B", "One"])
    (folder / "sub").rename(tmp_path / "away")
    watch.tell(folder / "sub")
    await poll(lambda: [model.name for model in library.models if model.missing] == ["A", "B"])
    assert names(library) == ["A", "B", "One"]


async def test_a_part_that_comes_or_goes_changes_its_model(library, files, watch, folder):
    first = files.make("folder/m-00001-of-00002.gguf", some_facts("M"))
    watch.tell(first)
    problem = "part 2 of 2 is missing: m-00002-of-00002.gguf"
    await poll(lambda: problem in [model.problem for model in library.models])
    second = files.make("folder/m-00002-of-00002.gguf")
    watch.tell(second)
    await poll(lambda: (first, second) in [model.parts for model in library.models])
    second.unlink()
    watch.tell(second)
    await poll(lambda: problem in [model.problem for model in library.models])
    assert names(library) == ["M", "One"]


async def test_a_file_that_still_has_another_name_is_not_missing(library, files, watch, folder):
    blob = files.make("folder/models--a--b/blobs/x", None)
    files.link("folder/models--a--b/snapshots/old/m.gguf", blob, some_facts("M"))
    watch.tell(folder / "models--a--b")
    await poll(lambda: names(library) == ["M", "One"])
    new = files.link("folder/models--a--b/snapshots/new/m.gguf", blob, some_facts("M"))
    shutil.rmtree(folder / "models--a--b/snapshots/old")
    watch.tell(folder / "models--a--b/snapshots/old/m.gguf", folder / "models--a--b/snapshots/old")
    await poll(lambda: new in [model.path for model in library.models])
    assert [model.missing for model in library.models] == [False, False]


async def test_what_ollama_fetches_is_listed_when_its_manifest_comes(library, files, watch, folder):
    digest = "a" * 64
    blob = files.make(f"folder/blobs/sha256-{digest}", some_facts("Fetched"))
    manifest = folder / "manifests/registry.ollama.ai/library/llama3/8b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    watch.tell(blob, manifest)
    await poll(lambda: blob in [model.path for model in library.models])


async def test_what_was_taken_off_stays_off(library, files, watch, folder):
    (model,) = library.models
    await library.remove(model.id)
    files.make("folder/one.gguf", some_facts("One"))
    watch.tell(model.path, files.make("folder/new.gguf", some_facts("New")))
    await poll(lambda: "New" in names(library))
    assert names(library) == ["New"]


async def test_a_file_that_came_and_went_is_not_listed(library, files, watch, folder):
    (folder / "dangling.gguf").symlink_to(folder / "nowhere.gguf")
    watch.tell(folder / "gone.gguf", folder / "dangling.gguf", files.make("folder/new.gguf", some_facts("New")))
    await poll(lambda: "New" in names(library))
    assert names(library) == ["New", "One"]


async def test_a_deletion_does_not_spread_the_search_over_the_disk(library, files, watch, folder):
    files.make("beside/two.gguf", some_facts("Two"))
    shutil.rmtree(folder)
    watch.tell(folder / "one.gguf", folder)
    await poll(lambda: library.models[0].missing)
    assert names(library) == ["One"]


async def test_a_file_that_keeps_changing_is_left_until_it_rests(library, files, watch, scope):
    # Long enough for a loop that a busy machine keeps waiting.
    FolderWatch(library, watch, scope, rest_s=1.0).begin()
    growing = files.make("folder/growing.gguf", some_facts("Growing"))
    marker = files.make("folder/marker.gguf", some_facts("Marker"))
    await library.add([files.make("other/one.gguf", some_facts("One")).parent])
    watch.tell(marker)

    def still_growing() -> bool:
        watch.tell(growing)
        return "Marker" in names(library)

    await poll(still_growing)
    assert growing not in files.examined
    await poll(lambda: "Growing" in names(library))


async def test_a_broken_file_that_may_be_growing_is_looked_at_again(library, files, watch, folder):
    half = files.make("elsewhere/half.gguf")
    os.utime(half)
    (model,) = await library.add([half])
    assert model.problem is not None
    await poll(lambda: files.looks > 2)
    files.know(half, some_facts("Whole"))
    os.utime(half, (time.time(), time.time() - 1))
    await poll(lambda: "Whole" in names(library))
    assert library.model(model.id).problem is None


async def test_added_folders_are_followed_and_removed_ones_are_not(library, files, watch, folder):
    other = files.make("other/two.gguf", some_facts("Two")).parent
    await library.add([other])
    await poll(lambda: watch.watched == [folder, other])
    await library.folders.remove(folder)
    await poll(lambda: watch.watched == [other])


async def test_paused_folders_are_followed_again_once_they_are_resumed(library, files, watch, folder):
    other = files.make("other/two.gguf", some_facts("Two")).parent
    await library.add([other])
    await library.folders.pause(folder, True)
    await poll(lambda: watch.watched == [other])
    await library.folders.pause(folder, False)
    await poll(lambda: watch.watched == [folder, other])


async def test_stores_are_followed_once_they_were_looked_through(repository, watch, scope, tmp_path):
    files = FakeModelFiles(tmp_path / "models", [tmp_path / "models/store"])
    store = files.make("store/publisher/repo/one.gguf", some_facts("One")).parent.parent.parent
    library = Library(repository, files)
    FolderWatch(library, watch, scope, rest_s=REST_S).begin()
    await library.load()
    await library.scan()
    await poll(lambda: watch.watched == [store])


@pytest.mark.usefixtures("folder")
async def test_storage_that_fails_for_a_while_ends_nothing(library, files, watch, monkeypatch):
    failed = []

    async def fail(*arguments):
        failed.append(arguments)
        raise LibraryError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteModelRepository, "save", fail)
        watch.tell(files.make("folder/new.gguf", some_facts("New")))
        await poll(lambda: failed)
    watch.tell(files.make("folder/newer.gguf", some_facts("Newer")))
    await poll(lambda: "Newer" in names(library))


@pytest.mark.usefixtures("folder")
async def test_looking_at_changes_shows_no_progress(library, files, watch, monkeypatch):
    monkeypatch.setattr(library_module, "_BATCH_S", 0.0)
    told: list[object] = []
    library.scans.subscribe(told.append)
    watch.tell(files.make("folder/new.gguf", some_facts("New")))
    await poll(lambda: "New" in names(library))
    assert told == []


async def test_it_all_works_on_a_real_disk(library, files, scope, tmp_path):
    folder = files.make("folder/one.gguf", some_facts("One")).parent
    await library.add([folder])
    FolderWatch(library, InotifyFileWatch(quiet_s=0.02), scope, rest_s=REST_S).begin()
    files.know(folder / "sub/two.gguf", some_facts("Two"))

    def seen() -> bool:
        (folder / "sub").mkdir(exist_ok=True)
        (folder / "sub/two.gguf").write_bytes(b"GGUF and so on")
        return names(library) == ["One", "Two"]

    await poll(seen)
    (folder / "one.gguf").unlink()
    await poll(lambda: [model.name for model in library.models if model.missing] == ["One"])
