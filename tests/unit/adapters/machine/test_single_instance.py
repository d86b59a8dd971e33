"""A second start of the program hands over to the first."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from gglib_desktop.adapters.machine.single_instance import SingleInstance
from tests.fakes.waiting import poll


class First:
    """The instance that runs, and what it was given."""

    def __init__(self, data_dir: Path) -> None:
        self.given: list[list[Path]] = []
        self.instance = SingleInstance(data_dir)

    async def listen(self) -> None:
        await self.instance.listen(self.given.append)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture
async def first(place) -> AsyncIterator[First]:
    first = First(place)
    await first.listen()
    yield first
    await first.instance.aclose()


async def hand_over(place: Path, *paths: Path) -> bool:
    """What a second start does; in a thread, since the first one lives on this one."""
    return await asyncio.to_thread(SingleInstance(place).hand_over, paths)


async def send(place: Path, data: bytes) -> None:
    """Says something else to the first instance, and hangs up."""
    reader, writer = await asyncio.open_unix_connection(place / "app.socket")
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        await reader.read()
    writer.close()


async def test_alone_there_is_nobody_to_hand_over_to(place, tmp_path):
    assert not await hand_over(place)
    assert not await hand_over(tmp_path / "not there")


def test_a_data_directory_that_cannot_be_looked_at_has_nobody(tmp_path):
    """As one below a folder that only another user may search; a name that is too long fails for root too."""
    assert not SingleInstance(tmp_path / ("n" * 300)).hand_over(())


async def test_paths_reach_the_first_instance(first, place):
    assert await hand_over(place, Path("/models/a.gguf"), Path("/models/ä 2.gguf"))
    await poll(lambda: first.given)
    assert first.given == [[Path("/models/a.gguf"), Path("/models/ä 2.gguf")]]


async def test_a_start_without_paths_is_heard_too(first, place):
    assert await hand_over(place)
    await poll(lambda: first.given)
    assert first.given == [[]]


async def test_paths_are_those_of_the_second_starts_folder(first, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert await hand_over(place, Path("here.gguf"))
    await poll(lambda: first.given)
    assert first.given == [[tmp_path / "here.gguf"]]


async def test_a_file_name_that_is_no_text_arrives(first, place):
    path = Path("/models/\udcff.gguf")
    assert await hand_over(place, path)
    await poll(lambda: first.given)
    assert first.given == [[path]]


async def test_many_starts_at_once_are_all_heard(first, place):
    starts = [hand_over(place, Path(f"/models/{number}.gguf")) for number in range(20)]
    assert all(await asyncio.gather(*starts))
    await poll(lambda: len(first.given) == 20)
    assert {paths[0].stem for paths in first.given} == {str(number) for number in range(20)}


async def test_the_socket_of_a_program_that_died_is_replaced(place):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place / "app.socket"))
    assert (place / "app.socket").exists()
    assert not await hand_over(place)
    first = First(place)
    await first.listen()
    assert await hand_over(place)
    await first.instance.aclose()


async def test_a_file_in_the_sockets_place_is_replaced(place):
    (place / "app.socket").write_text("what is this?")
    assert not await hand_over(place)
    first = First(place)
    await first.listen()
    assert await hand_over(place)
    await first.instance.aclose()


async def test_where_no_socket_can_be_the_program_runs_all_the_same(place, caplog):
    """As on some file systems."""
    (place / "app.socket" / "in the way").mkdir(parents=True)
    first = First(place)
    await first.listen()
    assert "cannot be heard" in caplog.text
    assert not await hand_over(place)
    await first.instance.aclose()


async def test_a_socket_that_cannot_be_removed_does_not_disturb_the_end(place):
    first = First(place)
    await first.listen()
    (place / "app.socket").rename(place / "aside")
    (place / "app.socket" / "in the way").mkdir(parents=True)
    await first.instance.aclose()


async def test_after_closing_nobody_listens_and_no_socket_is_left(place):
    first = First(place)
    await first.listen()
    await first.instance.aclose()
    assert list(place.iterdir()) == []
    assert not await hand_over(place)
    await first.instance.aclose()


async def test_a_data_directory_may_lie_as_deep_as_it_likes(tmp_path):
    place = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 12)
    first = First(place)
    await first.listen()
    assert await hand_over(place, Path("/models/a.gguf"))
    await poll(lambda: first.given)
    await first.instance.aclose()
    assert list(place.iterdir()) == []
    assert not await hand_over(place)


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"not json\n", b"5\n", b"null\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"[" * 2_000_000 + b"\n"],
    ids=["nothing", "a line end", "no json", "5", "null", "no text", "deep", "much"],
)
async def test_whatever_else_is_said_does_no_harm(first, place, data):
    await send(place, data)
    assert await hand_over(place, Path("/models/a.gguf"))
    await poll(lambda: [Path("/models/a.gguf")] in first.given)


async def test_one_who_connects_and_says_nothing_holds_nobody_up(first, place):
    _reader, writer = await asyncio.open_unix_connection(place / "app.socket")
    assert await hand_over(place, Path("/models/a.gguf"))
    await poll(lambda: first.given)
    writer.close()
