"""Models in parts and files beside models, over headers of real files: at every look, and whatever comes or goes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.library_file import MIGRATIONS, LibraryFile
from gglib_desktop.adapters.library.model_files import DiskModelFiles
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.gguf.header import GgufValueType
from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar
from gglib_desktop.services.models.library import Library
from tests.unit.adapters.gguf.gguf_bytes import write_gguf

TEXT, NUMBER = GgufValueType.STRING, GgufValueType.UINT32
MISSING_2_AND_3 = "parts 2 and 3 of 3 are missing"


@pytest.fixture
def files(tmp_path):
    return DiskModelFiles(tmp_path / "demo")


def part(folder: Path, number: int, *, total: int = 3, name: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / (name or f"Coder-Q5_K_M-{number:05}-of-{total:05}.gguf")
    metadata = {
        "general.architecture": (TEXT, "llama"),
        "split.no": (NUMBER, number - 1),
        "split.count": (NUMBER, total),
    }
    write_gguf(path, metadata, tensors=[(f"blk.{number - 1}.attn_q.weight", (8, number))])
    return path


def problems(library: Library) -> list[str | None]:
    return [model.problem for model in library.models]


async def again(repository, files) -> Library:
    later = Library(repository, files)
    await later.load()
    return later


async def test_missing_parts_are_said_at_every_look_and_every_start(library, repository, files, tmp_path):
    first = part(tmp_path / "m", 1)
    await library.add([first.parent])
    for _look in range(2):
        await library.scan()
        assert problems(library) == [MISSING_2_AND_3]
    await library.look_at([first])
    assert problems(library) == [MISSING_2_AND_3]
    later = await again(repository, files)
    assert problems(later) == [MISSING_2_AND_3]
    await later.scan()
    assert problems(later) == [MISSING_2_AND_3]
    assert (await later.examine(first)).problem == MISSING_2_AND_3


@pytest.mark.parametrize("there", [(2,), (3,), (2, 3), (1, 3)])
async def test_whichever_part_is_missing(library, files, tmp_path, there):
    for number in there:
        part(tmp_path / "m", number)
    await library.add([tmp_path / "m"])
    (said,) = problems(library)
    assert said is not None
    assert "missing" in said
    await library.scan()
    assert problems(library) == [said]
    (model,) = library.models
    assert (await library.examine(model.path)).problem == said


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
async def test_parts_that_come_and_go(library, tmp_path, order):
    folder = tmp_path / "m"
    part(folder, 1)
    await library.add([folder])
    for number in order:
        assert problems(library) != [None]
        part(folder, number)
        await library.scan()
    assert problems(library) == [None]
    (model,) = library.models
    assert model.facts is not None
    assert model.facts.parameter_count == 8 + 16 + 24
    gone = folder / "Coder-Q5_K_M-00002-of-00003.gguf"
    content = gone.read_bytes()
    gone.unlink()
    for _look in range(2):
        await library.scan()
        assert problems(library) == ["part 2 of 3 is missing: Coder-Q5_K_M-00002-of-00003.gguf"]
    gone.write_bytes(content)
    await library.scan()
    assert problems(library) == [None]


async def test_a_part_under_another_name_is_no_model(library, tmp_path):
    renamed = part(tmp_path / "m", 1, name="coder.gguf")
    await library.add([renamed])
    said = "this is part 1 of 3, but its name does not end in -00001-of-00003.gguf"
    assert problems(library) == [said]
    await library.scan()
    assert problems(library) == [said]


def sidecar(path: Path, metadata: dict[str, str | int], tensors: tuple[str, ...] = ("t",)) -> Path:
    path.parent.mkdir(exist_ok=True)
    typed = {key: (TEXT if isinstance(value, str) else NUMBER, value) for key, value in metadata.items()}
    write_gguf(path, typed, tensors=[(name, (8, 2)) for name in tensors])
    return path


HEAD: dict[str, str | int] = {
    "general.architecture": "qwen35",
    "qwen35.block_count": 5,
    "qwen35.nextn_predict_layers": 1,
}
BLOCKS = tuple(f"blk.{number}.attn_q.weight" for number in range(5))


@pytest.mark.parametrize(
    ("metadata", "tensors", "expected"),
    [
        ({"general.type": "imatrix"}, ("blk.0.attn_q.weight.in_sum2",), Sidecar.IMATRIX),
        ({"general.type": "adapter", "general.architecture": "llama"}, ("blk.0.attn_q.weight.lora_a",),
         Sidecar.ADAPTER),
        ({"general.architecture": "controlvector"}, ("direction.1",), Sidecar.CONTROL_VECTOR),
        ({"general.architecture": "gemma4-assistant"}, ("blk.0.attn_q.weight",), Sidecar.DRAFT_HEAD),
        (HEAD, BLOCKS[4:], Sidecar.DRAFT_HEAD),
        (HEAD, ("token_embd.weight", *BLOCKS[4:]), Sidecar.DRAFT_HEAD),
        (HEAD, ("token_embd.weight", *BLOCKS), None),
        ({"general.architecture": "bert"}, ("token_embd.weight", *BLOCKS), None),
        ({"general.architecture": "llama", "tokenizer.ggml.model": "gpt2"}, (), Sidecar.VOCABULARY),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_model_is_listed_with_what_it_is(library, tmp_path, metadata, tensors, expected):
    sidecar(tmp_path / "m/file.gguf", metadata, tensors)
    await library.add([tmp_path / "m"])
    reason = WHY_NOT_STARTED[expected] if expected else None
    for _look in range(2):
        assert [(model.sidecar, model.problem) for model in library.models] == [(expected, reason)]
        await library.scan()


OLD_FORMAT = 5
"""Of the version that took every file for a model."""


def old_library(database: Path, folder: Path, *files: Path) -> None:
    """A library as that version wrote it: files that look today as they did, with facts that name no kinds."""
    facts = dict.fromkeys(
        ("name", "size_label", "parameter_count", "quantisation", "context_length", "block_count", "expert_count")
    ) | {"architecture": "llama", "mtp_layers": 0, "has_chat_template": False, "file_size_bytes": 1}
    with closing(sqlite3.connect(database)) as old, old:
        old.executescript("".join(MIGRATIONS[:OLD_FORMAT]) + f"PRAGMA user_version = {OLD_FORMAT};")
        old.execute("INSERT INTO folders VALUES (?, 1.0)", (str(folder),))
        for file in files:
            state = file.stat()
            values = (str(file), json.dumps(facts), state.st_size, state.st_mtime_ns)
            columns = "path, facts, size_bytes, mtime_ns, added_at, notes"
            old.execute(f"INSERT INTO models ({columns}) VALUES (?, ?, ?, ?, 1.0, 'mine')", values)


async def test_what_an_older_version_took_for_a_model_is_told_after_the_first_scan(data_dir, files, tmp_path):
    folder = tmp_path / "m"
    imatrix = sidecar(folder / "i.gguf", {"general.type": "imatrix"})
    model = sidecar(folder / "z.gguf", {"general.architecture": "llama", "general.name": "D:\\models"}, BLOCKS)
    (folder / "a.gguf").hardlink_to(model)
    database = data_dir / "library.sqlite"
    database.parent.mkdir(exist_ok=True)
    old_library(database, folder, imatrix, model)
    repository = SqliteModelRepository(LibraryFile(database))
    library = Library(repository, files)
    await library.load()
    assert len(library.models) == 2
    await library.scan()
    told = {each.path: (each.sidecar, each.name, each.notes) for each in library.models}
    assert told == {imatrix: (Sidecar.IMATRIX, "i", "mine"), model: (None, "z", "mine")}
    await library.scan()
    assert {each.path for each in library.models} == set(told)
    await repository.file.aclose()
