"""The stores of other programs, built by these programs' rules, as the program lists them."""

import asyncio
import hashlib
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gglib_desktop.adapters.files.file_watch import InotifyFileWatch
from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.model_files import DiskModelFiles, well_known_stores
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.services.models.folder_watch import FolderWatch
from gglib_desktop.services.models.library import Library
from gglib_desktop.tasks import LogReporter, TaskScope
from tests.fakes import model_trees
from tests.fakes.waiting import poll

STORES = (model_trees.hugging_face, model_trees.lm_studio, model_trees.ollama)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def library(tmp_path: Path, home: Path) -> AsyncIterator[Library]:
    """Follows all stores below ``home``."""
    repository = SqliteModelRepository(LibraryFile(tmp_path / "data/library.sqlite"))
    stores = [store for store in well_known_stores({"HOME": str(home)}) if store.is_relative_to(home)]
    library = Library(repository, DiskModelFiles(tmp_path / "demo", stores))
    async with TaskScope(LogReporter()) as scope:
        FolderWatch(library, InotifyFileWatch(quiet_s=0.02), scope, rest_s=0.05).begin()
        yield library
    await repository.file.aclose()


def shown(library: Library) -> dict[Path, str]:
    return {model.path: model.name for model in library.models}


def companions(library: Library) -> dict[str, list[str]]:
    return {model.name: [path.name for path in library.companions.projectors(model)] for model in library.models}


def blob(name: str) -> str:
    return f"sha256-{hashlib.sha256(model_trees.gguf(name, 'clip')).hexdigest()}"


async def test_every_model_is_listed_once_and_nothing_is_written(home, library):
    expected = [
        path for make in (model_trees.hugging_face, model_trees.lm_studio, model_trees.ollama) for path in make(home)
    ]
    before = model_trees.listing(home)
    await library.scan()
    await library.scan()
    assert sorted(shown(library)) == sorted(expected)
    assert [model.problem for model in library.models] == [None] * len(expected)
    assert sorted(shown(library).values()) == [
        "Large",
        "Llava 13B",
        "Llava 7B",
        "Other",
        "Plain",
        "Seeing",
        "Small",
        "Words",
    ]
    assert model_trees.listing(home) == before


async def test_projectors_are_known_with_their_models(home, library):
    for make in STORES:
        make(home)
    await library.scan()
    with_projector = {name: found for name, found in companions(library).items() if found}
    assert with_projector == {
        "Large": ["mmproj-F16.gguf"],
        "Seeing": ["mmproj-Seeing-F16.gguf"],
        "Llava 7B": [blob("Eyes")],
        "Llava 13B": [blob("Eyes")],
    }


async def test_what_is_fetched_while_the_program_runs_is_listed(home, library):
    for make in STORES:
        make(home)
    await library.scan()
    cache = model_trees.HuggingFaceCache(home / ".cache/huggingface/hub")
    store = model_trees.OllamaStore(home / ".ollama/models")
    numbers = itertools.count()

    def fetched() -> bool:
        """One more each time: no event told of files that came before the folders were watched."""
        number = next(numbers)
        cache.download(f"org/New-{number}", "d" * 40, {"new.gguf": model_trees.gguf(f"Hugging {number}")})
        store.pull("library/new", str(number), {"model": model_trees.gguf(f"Ollama {number}")})
        return {"Hugging", "Ollama"} <= {name.split()[0] for name in shown(library).values()}

    await poll(fetched)


async def test_a_revision_that_is_deleted_leaves_its_models_to_the_next(home, library):
    (small, _large) = model_trees.hugging_face(home)
    await library.scan()
    (before,) = (model for model in library.models if model.path == small)
    await asyncio.to_thread(shutil.rmtree, small.parent)
    await library.look_at([small, small.parent])
    (after,) = (model for model in library.models if model.id == before.id)
    assert (after.missing, after.path.parent.name) == (False, "b" * 40)


async def test_what_moves_or_goes_stays_marked_and_comes_back(home, library):
    (seeing, plain) = model_trees.lm_studio(home)
    await library.scan()
    ids = {model.name: model.id for model in library.models}
    os.renames(plain, plain.parent.parent / "Moved-GGUF" / plain.name)
    data = seeing.read_bytes()
    seeing.unlink()
    await library.scan()
    now = {model.name: (model.id, model.missing, model.path.parent.name) for model in library.models}
    assert now == {
        "Plain": (ids["Plain"], False, "Moved-GGUF"),
        "Seeing": (ids["Seeing"], True, "Seeing-GGUF"),
    }
    (seeing.parent / "renamed.gguf").write_bytes(data)
    await library.scan()
    now = {model.name: (model.id, model.missing, model.path.name) for model in library.models}
    assert now["Seeing"] == (ids["Seeing"], False, "renamed.gguf")
