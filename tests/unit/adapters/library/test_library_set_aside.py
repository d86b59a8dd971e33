"""A library's file that will never be read again is kept under another name, and a new one takes its place."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gglib_desktop.adapters.library.library_file import LibraryFile
from gglib_desktop.adapters.library.sqlite_models import SqliteModelRepository
from gglib_desktop.domain.errors import LibrarySetAside
from gglib_desktop.domain.models.model import ModelFile


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[SqliteModelRepository]:
    repository = SqliteModelRepository(LibraryFile(file))
    try:
        yield repository
    finally:
        await repository.file.aclose()


@pytest.fixture
def file(data_dir: Path) -> Path:
    return data_dir / "library.sqlite"


@pytest.fixture
async def repository(file) -> AsyncIterator[SqliteModelRepository]:
    async with opened(file) as repository:
        yield repository


async def spoiled(file: Path, spoil: Callable[[bytes], bytes]) -> bytes:
    """A library of some pages, of which something has become of its file."""
    async with opened(file) as before:
        await before.save([(None, ModelFile(Path(f"/models/{number}.gguf"), None, "x" * 500)) for number in range(200)])
    return rewritten(file, spoil(content(file)))


def content(file: Path) -> bytes:
    return file.read_bytes()


def rewritten(file: Path, data: bytes) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return data


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _data: b"not a database, and longer than the header of one " * 20,
        lambda data: bytes(100) + data[100:],
        lambda data: data[:5000],
        lambda data: data[:100] + b"\xff" * (len(data) - 100),
        lambda data: data[:8192] + bytes(len(data) - 8192),
    ],
    ids=["text", "no header", "cut short", "garbage", "zeros"],
)
async def test_a_file_beyond_repair_is_set_aside_and_told_once(repository, file, spoil):
    data = await spoiled(file, spoil)
    with pytest.raises(LibrarySetAside) as caught:
        await repository.models()
    kept = caught.value.kept
    assert (caught.value.path, kept) == (file, file.with_name("library.sqlite.unreadable"))
    assert kept.read_bytes() == data
    assert list(await repository.models()) == []
    (new,) = await repository.save([(None, ModelFile(Path("/m.gguf")))])
    assert list(await repository.models()) == [new]
    assert new.id > 200, "a server that runs is no model's of the new library"


async def test_who_asks_for_something_else_first_leaves_the_news_to_the_list_of_models(repository, file):
    await spoiled(file, lambda _data: b"not a database, and longer than the header of one " * 20)
    assert await repository.folders() == []
    with pytest.raises(LibrarySetAside):
        await repository.models()


async def test_nothing_that_was_set_aside_before_is_lost(file):
    kept = []
    for number in range(3):
        data = rewritten(file, f"no database, the {number}th time ".encode() * 50)
        async with opened(file) as repository:
            with pytest.raises(LibrarySetAside) as caught:
                await repository.models()
        kept.append(caught.value.kept)
        assert kept[-1].read_bytes() == data
    assert [path.name for path in kept] == [f"library.sqlite.unreadable{ending}" for ending in ("", "-2", "-3")]
