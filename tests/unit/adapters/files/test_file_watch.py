"""What is told of changes on disk: each once it is whole, in batches, wherever the path comes from and goes to."""

import asyncio
import contextlib
import errno
import os
import select
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gglib_desktop.adapters.files import inotify
from gglib_desktop.adapters.files.file_watch import InotifyFileWatch
from tests.fakes.waiting import poll


class Told:
    """Everything that was told, and in how many batches."""

    def __init__(self) -> None:
        self.batches: list[frozenset[Path]] = []

    @property
    def paths(self) -> set[Path]:
        return {path for batch in self.batches for path in batch}


@asynccontextmanager
async def watching(*paths: Path, look_s: float = 0.1, quiet_s: float = 0.05, until: int = 1) -> AsyncIterator[Told]:
    """Watches ``paths``; begins when ``until`` batches have said that it does."""
    told = Told()
    others = set(threading.enumerate())
    watch = InotifyFileWatch(quiet_s=quiet_s, look_s=look_s)

    async def follow() -> None:
        async with contextlib.aclosing(watch.changes(paths)) as changes:
            async for batch in changes:
                told.batches.append(batch)

    following = asyncio.ensure_future(follow())
    await poll(lambda: len(told.batches) >= until and {*threading.enumerate()} - others)
    try:
        yield told
    finally:
        following.cancel()
        await asyncio.wait({following})
        await poll(lambda: not any(thread.name == "file watch" for thread in {*threading.enumerate()} - others))


async def test_what_comes_changes_and_goes_is_told(tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    file = tmp_path / "deep/er/a.gguf"
    async with watching(tmp_path) as told:
        assert told.batches == [frozenset()]
        file.write_text("new")
        await poll(lambda: file in told.paths)
        told.batches.clear()
        with file.open("a") as more:
            more.write("and more")
        await poll(lambda: file in told.paths)
        told.batches.clear()
        file.unlink()
        await poll(lambda: file in told.paths)
        assert told.paths == {file}


async def test_a_file_is_told_when_its_writer_closes_it(tmp_path):
    growing, marker = tmp_path / "growing.gguf", tmp_path / "marker"
    async with watching(tmp_path) as told:
        with growing.open("wb") as file:
            file.write(b"half")
            file.flush()
            marker.write_text("later")
            await poll(lambda: marker in told.paths)
            assert told.paths == {marker}
        await poll(lambda: growing in told.paths)


async def test_links_and_moved_files_are_told_at_once(tmp_path):
    outside, watched = tmp_path / "outside", tmp_path / "watched"
    outside.mkdir()
    watched.mkdir()
    for name in ("one", "two", "three"):
        (outside / name).write_text("content")
    async with watching(watched) as told:
        (watched / "link").symlink_to(outside / "one")
        os.link(outside / "two", watched / "hard link")
        (outside / "three").rename(watched / "moved")
        await poll(lambda: len(told.paths) == 3)
        assert told.paths == {watched / "link", watched / "hard link", watched / "moved"}


async def test_new_folders_are_watched_too(tmp_path):
    ready = tmp_path / "outside/moved in/below"
    ready.mkdir(parents=True)
    root = tmp_path / "root"
    root.mkdir()
    async with watching(root) as told:
        (root / "made/by/hand").mkdir(parents=True)
        ready.parent.rename(root / "moved in")
        await poll(lambda: {root / "made", root / "moved in"} <= told.paths)
        told.batches.clear()
        files = {root / "made/by/hand/a", root / "moved in/below/b"}
        for file in files:
            file.write_text("new")
        await poll(lambda: files <= told.paths)


async def test_a_renamed_folder_tells_under_its_new_name(tmp_path):
    (tmp_path / "old/deep").mkdir(parents=True)
    async with watching(tmp_path) as told:
        (tmp_path / "old").rename(tmp_path / "new")
        await poll(lambda: {tmp_path / "old", tmp_path / "new"} <= told.paths)
        told.batches.clear()
        (tmp_path / "new/deep/file").write_text("new")
        await poll(lambda: told.paths)
        assert told.paths == {tmp_path / "new/deep/file"}


async def test_linked_folders_are_watched_without_end(tmp_path):
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    (root / "link").symlink_to(other)
    (other / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "broken")
    async with watching(root) as told:
        (other / "file").write_text("new")
        await poll(lambda: other / "file" in told.paths)
        later = tmp_path / "later"
        later.mkdir()
        (root / "new link").symlink_to(later)
        await poll(lambda: root / "new link" in told.paths)
        (later / "file").write_text("new")
        await poll(lambda: later / "file" in told.paths)


async def test_one_file_can_be_watched_also_when_others_replace_it(tmp_path):
    settings = tmp_path / "settings.toml"
    async with watching(settings) as told:
        (tmp_path / "other").write_text("not asked for")
        settings.write_text("first")
        await poll(lambda: settings in told.paths)
        for _round in range(2):
            told.batches.clear()
            (tmp_path / "temporary").write_text("next")
            (tmp_path / "temporary").replace(settings)
            await poll(lambda: settings in told.paths)
        assert told.paths == {settings}


async def test_a_linked_file_is_watched_where_it_is(tmp_path):
    real = tmp_path / "dotfiles/settings.toml"
    real.parent.mkdir()
    real.write_text("first")
    settings = tmp_path / "settings.toml"
    settings.symlink_to(real)
    async with watching(settings) as told:
        real.write_text("second")
        await poll(lambda: told.paths)
        assert told.paths == {settings}


async def test_a_path_may_come_and_go(tmp_path, caplog):
    path = tmp_path / "not yet/models"
    async with watching(path, until=0) as told:
        await poll(lambda: "will be noticed" in caplog.text)  # it has looked, and found no folder
        path.mkdir(parents=True)
        await poll(lambda: path in told.paths)
        told.batches.clear()
        await poll(lambda: write_and_see(path / "file", told))
        (path / "file").unlink()
        told.batches.clear()
        path.rename(tmp_path / "away")
        await poll(lambda: path in told.paths)
        told.batches.clear()
        (tmp_path / "away").rename(path)
        await poll(lambda: path in told.paths)
        await poll(lambda: write_and_see(path / "file", told))


def write_and_see(file: Path, told: Told) -> bool:
    file.write_text("again")
    return file in told.paths


async def test_another_disk_at_the_path_is_noticed(tmp_path):
    path = tmp_path / "models"
    path.mkdir()
    async with watching(path) as told:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/file").write_text("there")
        path.rename(tmp_path / "away")
        (tmp_path / "other").rename(path)
        await poll(lambda: path in told.paths)


async def test_several_paths_are_watched_at_once_and_a_missing_one_harms_none(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    async with watching(one, tmp_path / "nowhere/at/all", two, until=1) as told:
        await poll(lambda: write_and_see(one / "file", told) and write_and_see(two / "file", told))
        assert told.paths == {one / "file", two / "file"}


async def test_many_changes_come_in_few_batches(tmp_path):
    # Longer than a busy machine may hold this thread up between two files.
    async with watching(tmp_path, quiet_s=1) as told:
        for number in range(300):
            (tmp_path / str(number)).write_text("new")
        await poll(lambda: len(told.paths) == 300)
        assert len(told.batches) < 30


async def test_too_much_to_be_told_is_said_of_the_whole_path(tmp_path, monkeypatch):
    read = inotify.Inotify.read
    too_much = [True]

    def overflowing(self, timeout_s):
        events = read(self, timeout_s)
        if events and too_much:
            too_much.clear()
            return [inotify.InotifyEvent(-1, 0x4000, "")]
        return events

    monkeypatch.setattr(inotify.Inotify, "read", overflowing)
    async with watching(tmp_path) as told:
        (tmp_path / "file").write_text("new")
        await poll(lambda: tmp_path in told.paths)
        await poll(lambda: write_and_see(tmp_path / "other", told))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
async def test_a_folder_that_cannot_be_watched_is_logged_once(tmp_path, monkeypatch, caplog, number):
    add = inotify.Inotify.add

    def refuse(self, folder):
        if folder.endswith("bad"):
            raise OSError(number, os.strerror(number), folder)
        return add(self, folder)

    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    monkeypatch.setattr(inotify.Inotify, "add", refuse)
    async with watching(tmp_path / "bad", until=0), watching(tmp_path) as told:
        (tmp_path / "good/file").write_text("new")
        await poll(lambda: tmp_path / "good/file" in told.paths)
        await poll(lambda: "bad" in caplog.text)
    assert caplog.text.count("will be noticed") == (2 if number == errno.ENOSPC else 1)


async def test_a_system_without_inotify_tells_nothing_and_harms_nothing(tmp_path, monkeypatch, caplog):
    class Refusing:
        def __init__(self):
            raise OSError(errno.EMFILE, "too many")

    with monkeypatch.context() as patch:
        patch.setattr(inotify, "Inotify", Refusing)
        patch.delattr(select, "poll")  # nor has such a system this
        async with watching(tmp_path, until=0, look_s=0.01):
            await poll(lambda: "too many" in caplog.text)
    assert caplog.text.count("too many") == 1


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_watching_leaves_no_descriptor_open(tmp_path):
    before = open_descriptors()
    for _round in range(3):
        async with watching(tmp_path):
            pass
    assert open_descriptors() <= before
