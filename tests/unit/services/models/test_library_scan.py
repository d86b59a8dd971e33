"""Looking for models on the disks: what comes, goes, moves and comes back."""

import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import NO_SUCH_FILE, Model, ModelFile
from gglib_desktop.domain.models.scan import ScanProgress, WalkRequest, WalkStep
from gglib_desktop.services.models import library as library_module
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.models.scanning import COMPANION
from tests.fakes.library import FakeModelFiles, some_facts
from tests.fakes.waiting import poll


def names(library: Library) -> list[str]:
    return sorted(model.name for model in library.models)


async def restarted(repository, files) -> Library:
    library = Library(repository, files)
    await library.load()
    return library


async def test_a_folder_is_remembered_and_looked_through_again(library, repository, files):
    one = files.make("deep/er/one.gguf", some_facts("One"))
    await library.add([one.parent.parent])
    files.make("deep/two.gguf", some_facts("Two"))
    later = await restarted(repository, files)
    assert await later.folders.added() == [one.parent.parent]
    await later.scan()
    assert names(later) == ["One", "Two"]
    await later.folders.remove(one.parent.parent)
    files.make("deep/three.gguf", some_facts("Three"))
    await later.scan()
    assert names(later) == ["One", "Two"]


async def test_a_paused_folder_is_not_looked_through_until_it_is_resumed(library, repository, files):
    one = files.make("paused/one.gguf", some_facts("One"))
    folder = one.parent
    await library.add([folder])
    await library.folders.pause(folder, True)
    files.make("paused/two.gguf", some_facts("Two"))
    later = await restarted(repository, files)
    assert (later.folders.places, later.folders.watched) == ((folder,), ())
    await later.scan()
    await later.look_at([folder / "two.gguf"])
    assert names(later) == ["One"]
    await later.folders.pause(folder, False)
    await later.look_at([folder])
    assert names(later) == ["One", "Two"]
    assert await repository.paused_folders() == []


async def test_a_disk_that_is_away_makes_no_model_of_a_paused_folder_missing(library, files, tmp_path):
    folder = files.make("disk/one.gguf", some_facts("One")).parent
    await library.add([folder])
    await library.folders.pause(folder, True)
    folder.rename(tmp_path / "away")
    await library.scan()
    assert [model.missing for model in library.models] == [False]
    await library.folders.pause(folder, False)
    await library.look_at([folder])
    assert [model.missing for model in library.models] == [True]


async def test_a_paused_folder_is_not_entered_from_above(library, files):
    inner = files.make("outer/inner/one.gguf", some_facts("One")).parent
    await library.add([inner])
    await library.folders.pause(inner, True)
    files.make("outer/two.gguf", some_facts("Two"))
    new = files.make("outer/inner/three.gguf", some_facts("Three"))
    await library.add([inner.parent])
    await library.scan()
    await library.look_at([new])
    assert names(library) == ["One", "Two"]


async def test_a_folder_in_a_paused_one_is_looked_through(library, files):
    inner = files.make("outer/inner/one.gguf", some_facts("One")).parent
    await library.add([inner.parent, inner])
    await library.folders.pause(inner.parent, True)
    files.make("outer/inner/two.gguf", some_facts("Two"))
    await library.scan()
    assert names(library) == ["One", "Two"]
    await library.look_at([files.make("outer/inner/three.gguf", some_facts("Three"))])
    assert names(library) == ["One", "Three", "Two"]


async def test_a_paused_folder_that_is_added_again_is_resumed(library, repository, files):
    folder = files.make("paused/one.gguf", some_facts("One")).parent
    await library.add([folder])
    await library.folders.pause(folder, True)
    files.make("paused/two.gguf", some_facts("Two"))
    await library.add([folder])
    assert names(library) == ["One", "Two"]
    assert (library.folders.watched, await repository.paused_folders()) == ((folder,), [])


async def test_a_store_can_be_paused(repository, tmp_path):
    files = FakeModelFiles(tmp_path / "models", [tmp_path / "models/store"])
    files.make("store/publisher/repo/one.gguf", some_facts("One"))
    await repository.pause_folder((tmp_path / "models/store").resolve(), True)
    library = await restarted(repository, files)
    await library.scan()
    assert names(library) == []
    assert len(library.folders.places) == 1


async def test_stores_of_other_programs_are_looked_through(repository, tmp_path):
    files = FakeModelFiles(tmp_path / "models", [tmp_path / "models/store", tmp_path / "nowhere"])
    files.make("store/publisher/repo/one.gguf", some_facts("One"))
    library = await restarted(repository, files)
    await library.scan()
    assert names(library) == ["One"]
    assert await library.folders.added() == []


async def test_only_what_changed_is_read_again(library, repository, files):
    one = files.make("a/one.gguf", some_facts("One"))
    two = files.make("a/two.gguf", some_facts("Two"))
    files.make("a/mmproj-one.gguf", some_facts("Projector"))
    await library.add([one.parent])
    later = await restarted(repository, files)
    files.examined.clear()
    await later.scan()
    assert files.examined == []
    files.make("a/two.gguf", some_facts("Two again"))
    await later.scan()
    assert files.examined == [two]
    assert names(later) == ["One", "Two again"]


async def test_a_file_that_could_not_be_used_is_read_again_though_it_looks_the_same(library, files):
    path = files.make("a/one.gguf")
    (model,) = await library.add([path])
    assert model.problem
    await library.scan()
    assert library.models == (model,)
    files.know(path, some_facts("One"))
    await library.scan()
    (now,) = library.models
    assert (now.id, now.problem, now.facts, now.stamp) == (model.id, None, some_facts("One"), model.stamp)


async def test_a_missing_model_is_marked_and_its_facts_stay(library, files):
    one = files.make("a/one.gguf", some_facts("One"))
    (model,) = await library.add([one.parent])
    one.unlink()
    await library.scan()
    (gone,) = library.models
    assert (gone.id, gone.missing, gone.problem, gone.facts) == (model.id, True, NO_SUCH_FILE, model.facts)
    files.make("a/one.gguf", some_facts("One"))
    await library.scan()
    (back,) = library.models
    assert (back.id, back.missing, back.problem) == (model.id, False, None)


async def test_a_moved_model_is_the_same_model(library, repository, files):
    one = files.make("a/one.gguf", some_facts("One"))
    (model,) = await library.add([one.parent])
    new = files.make("a/b/other name.gguf", some_facts("One"))
    one.unlink()
    await library.scan()
    (moved,) = library.models
    assert (moved.id, moved.path, moved.missing, moved.added_at) == (model.id, new, False, model.added_at)
    assert [each.path for each in (await restarted(repository, files)).models] == [new]


async def test_a_model_that_moves_while_two_scans_look_is_one_model(library, repository, files):
    before = files.make("in/before.gguf", some_facts("One"))
    (model,) = await library.add([before.parent])
    await repository.save_launch_options(model.id, LaunchOptions(port=9100))
    walk, began, go_on = files.walk, threading.Event(), threading.Event()

    def slow_walk(request: WalkRequest) -> Iterator[WalkStep]:
        files.walk = walk
        began.set()
        go_on.wait(30)
        yield from walk(request)

    files.walk = slow_walk
    scan = asyncio.create_task(library.scan())
    await poll(began.is_set)
    after = files.make("in/after.gguf", some_facts("One"))
    await library.look_at([after])
    assert [each.path for each in library.models] == [before, after], "a copy, as far as can be told"
    before.unlink()
    go_on.set()
    await scan
    assert [(each.id, each.path) for each in library.models] == [(model.id, after)]
    assert [(each.id, each.path) for each in (await restarted(repository, files)).models] == [(model.id, after)]


async def test_a_missing_model_comes_back_at_another_place(library, files):
    one = files.make("a/one.gguf", some_facts("One"))
    (model,) = await library.add([one.parent])
    one.unlink()
    await library.scan()
    new = files.make("elsewhere/one.gguf", some_facts("One"))
    (back,) = await library.add([new])
    assert (back.id, back.path, back.missing) == (model.id, new, False)
    assert len(library.models) == 1


async def test_a_copy_is_a_model_of_its_own(library, files):
    files.make("a/one.gguf", some_facts("One"))
    one = files.make("a/copy.gguf", some_facts("One"))
    await library.add([one.parent])
    assert len(library.models) == 2


async def test_what_was_taken_off_stays_off_until_it_is_added_again(library, files):
    one = files.make("a/one.gguf", some_facts("One"))
    (model,) = await library.add([one.parent])
    await library.remove(model.id)
    await library.scan()
    assert library.models == ()
    (again,) = await library.add([one])
    await library.scan()
    assert [each.id for each in library.models] == [again.id]


async def test_companions_are_not_models_of_their_own(library, files):
    one = files.make("a/one.gguf", some_facts("One"))
    projector = files.make("a/mmproj-one.gguf", some_facts("Projector"))
    (model,) = await library.add([one.parent])
    assert names(library) == ["One"]
    assert library.companions.projectors(model) == (projector,)
    (named,) = await library.add([projector])
    assert (named.path, named.problem) == (projector, COMPANION)


async def test_parts_are_one_model_and_missing_ones_are_said(library, files):
    first = files.make("a/m-00001-of-00002.gguf", some_facts("M"))
    (model,) = await library.add([first.parent])
    assert model.problem == "part 2 of 2 is missing: m-00002-of-00002.gguf"
    second = files.make("a/m-00002-of-00002.gguf")
    await library.scan()
    (whole,) = library.models
    assert (whole.id, whole.problem, whole.parts) == (model.id, None, (first, second))


async def test_progress_is_told_and_ends(library, files, monkeypatch):
    for number in range(5):
        files.make(f"a/{number}.gguf", some_facts(str(number)))
    told: list[ScanProgress | None] = []
    library.scans.subscribe(told.append)
    monkeypatch.setattr(library_module, "_BATCH_S", 0.0)
    monkeypatch.setattr(library_module, "_MOST_BATCH_S", 0.0)
    folder = files.make("a/last.gguf", some_facts("Last")).parent
    await library.add([folder])
    assert len(library.models) == 6
    assert told[0] == ScanProgress(6, 0, str(folder))
    assert [each.models_read for each in told if each] == [0, 1, 2, 3, 4, 5, 6]
    assert told[-1] is None
    assert library.scans.progress is None


async def many(files: FakeModelFiles, count: int = 300) -> Path:
    for number in range(count):
        files.make(f"many/{number}/{number}.gguf", some_facts(f"Model {number}"))
    return files.make("many/x.gguf", some_facts("X")).parent


async def test_a_scan_can_be_stopped_and_keeps_what_it_found(library, files, monkeypatch):
    folder = await many(files)
    monkeypatch.setattr(library_module, "_BATCH_S", 0.001)
    adding = asyncio.ensure_future(library.add([folder]))
    await poll(lambda: library.models)
    assert library.scans.progress is not None or len(library.models) == 301
    library.scans.stop()
    added = await adding
    assert 0 < len(added) == len(library.models) <= 301
    await library.scan()
    assert len(library.models) == 301


async def test_a_cancelled_scan_leaves_nothing_behind(library, files, monkeypatch):
    folder = await many(files)
    await library.add([folder])
    shutil.rmtree(folder)
    monkeypatch.setattr(library_module, "_BATCH_S", 0.001)
    scanning = asyncio.ensure_future(library.scan())
    await asyncio.sleep(0)
    scanning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scanning
    assert library.scans.progress is None
    await library.scan()
    assert all(model.missing for model in library.models)


async def test_using_a_model_is_noted(library, repository, files):
    (model,) = await library.add([files.make("one.gguf", some_facts("One"))])
    assert model.last_used is None
    await library.note_used(model.id)
    await library.note_used(99)
    (used,) = library.models
    assert used.last_used is not None
    assert [each.last_used for each in (await restarted(repository, files)).models] == [used.last_used]


async def test_ollama_models_are_called_as_ollama_calls_them(repository, tmp_path):
    files = FakeModelFiles(tmp_path / "models")
    digest = "a" * 64
    blob = files.make(f"store/blobs/sha256-{digest}", some_facts(None))
    manifest = blob.parent.parent / "manifests/registry.ollama.ai/library/llama3/8b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    library = await restarted(repository, files)
    (model,) = await library.add([blob.parent.parent])
    assert (model.name, model.path) == ("llama3:8b", blob)
    again: tuple[Model, ...] = (await restarted(repository, files)).models
    assert [each.name for each in again] == ["llama3:8b"]


def ollama(files: FakeModelFiles, tag: str, *layers: tuple[str, str]) -> list[Path]:
    """A manifest and the blobs it names; returns the blobs."""
    entries = []
    blobs = []
    for kind, letter in layers:
        digest = letter * 64
        entries.append({"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}"})
        blobs.append(files.make(f"store/blobs/sha256-{digest}", some_facts(letter)))
    manifest = blobs[0].parent.parent / f"manifests/registry.ollama.ai/library/llava/{tag}"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"layers": entries}))
    return blobs


async def test_the_projector_of_an_ollama_model_is_its_companion_and_no_other_models(repository, tmp_path):
    files = FakeModelFiles(tmp_path / "models")
    small, projector = ollama(files, "7b", ("model", "a"), ("projector", "b"))
    (large, _same) = ollama(files, "13b", ("model", "c"), ("projector", "b"))
    (blind,) = ollama(files, "blind", ("model", "d"))
    library = await restarted(repository, files)
    await library.add([tmp_path / "models/store"])
    by_path = {model.path: model for model in library.models}
    assert set(by_path) == {small, large, blind}
    expected = [(projector,), (projector,), ()]
    assert [library.companions.projectors(by_path[path]) for path in (small, large, blind)] == expected
    later = await restarted(repository, files)
    await later.scan()
    assert [later.companions.projectors(by_path[path]) for path in (small, large, blind)] == expected
    projector.unlink()
    await later.scan()
    assert later.companions.projectors(by_path[small]) == ()


async def test_the_adapter_of_an_ollama_model_is_told_and_belongs_to_it(repository, tmp_path):
    files = FakeModelFiles(tmp_path / "models")
    extras = (("template", "t"), ("params", "p"), ("license", "l"))
    base, adapter, *_ = ollama(files, "tuned", ("model", "a"), ("adapter", "b"), *extras)
    (plain, *_) = ollama(files, "plain", ("model", "c"), *extras)
    library = await restarted(repository, files)
    await library.add([tmp_path / "models/store"])
    by_path = {model.path: model for model in library.models}
    assert set(by_path) == {base, plain}
    told = [(each.path, each.kind) for each in library.companions.offered_with(by_path[base], library.models)]
    assert told == [(adapter, Sidecar.ADAPTER)]
    assert (library.companions.adapters(by_path[base]), library.companions.adapters(by_path[plain])) == ((adapter,), ())
    later = await restarted(repository, files)
    await later.companions.read_adapters(by_path[base])
    assert later.companions.adapters(by_path[base]) == (adapter,), "before any scan"


@pytest.mark.parametrize("tags", [("a-tuned", "z-plain"), ("z-tuned", "a-plain")])
async def test_weights_that_also_have_a_name_without_an_adapter_are_served_so(repository, tmp_path, tags):
    files = FakeModelFiles(tmp_path / "models")
    tuned, plain = tags
    ollama(files, tuned, ("model", "a"), ("adapter", "b"))
    base, adapter = ollama(files, tuned, ("model", "a"), ("adapter", "b"))
    ollama(files, plain, ("model", "a"))
    library = await restarted(repository, files)
    (model,) = await library.add([tmp_path / "models/store"])
    assert (model.path, model.label) == (base, f"llava:{plain}")
    assert library.companions.adapters(model) == ()
    assert [each.path for each in library.companions.offered_with(model, library.models)] == [adapter]


async def test_a_draft_head_beside_a_model_is_offered_with_it(library, files):
    head = replace(some_facts("Head"), sidecar=Sidecar.DRAFT_HEAD)
    model = files.make("a/Big-Q4_0.gguf", some_facts("Big"))
    beside = files.make("a/mtp-Big.gguf", head)
    projector = files.make("a/mmproj-F16.gguf", some_facts("Eyes"))
    await library.add([model.parent])
    (big,) = [each for each in library.models if each.path == model]
    assert [each.path for each in library.companions.offered_with(big, library.models)] == [projector, beside]
    beside.unlink()
    await library.scan()
    assert [each.path for each in library.companions.offered_with(big, library.models)] == [projector]


async def test_a_companion_that_is_gone_is_forgotten(library, repository, files):
    one = files.make("a/one.gguf", some_facts("One"))
    projector = files.make("a/mmproj-F16.gguf", some_facts("Projector"))
    (model,) = await library.add([one.parent])
    assert library.companions.projectors(model) == (projector,)
    later = await restarted(repository, files)
    assert later.companions.projectors(model) == (projector,)
    projector.unlink()
    await later.scan()
    assert later.companions.projectors(model) == ()


async def test_scans_leave_models_of_other_places_alone(library, files, repository):
    path = files.make("tiny.gguf", some_facts("Tiny"))
    (there,) = await repository.save([(None, ModelFile(path, some_facts("Tiny")))], place="attic")
    await library.load()
    (here,) = await library.add([path])
    assert (here.place, here.id != there.id) == ("local", True)
    path.unlink()
    await library.scan()
    assert {model.place: model.missing for model in library.models} == {"local": True, "attic": False}
