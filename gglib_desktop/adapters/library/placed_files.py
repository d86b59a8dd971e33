"""Model files on another computer, looked at from a thread while the loop reaches that computer."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gglib_desktop.adapters.gguf.source import ByteSource
from gglib_desktop.adapters.library.model_group import APPLE_DOUBLE, ModelGroup, stands_for
from gglib_desktop.adapters.library.model_reading import read_model
from gglib_desktop.domain.errors import InvalidModelFile, RunnerUnavailable
from gglib_desktop.domain.models.model import ModelFile
from gglib_desktop.domain.models.scan import FoundModel, Stamp, WalkRequest, WalkStep
from gglib_desktop.domain.models.shards import shard_name
from gglib_desktop.ports.models.place_files import ListedFile, PlaceFiles

T = TypeVar("T")
_FIRST_BYTES, _MOST_BYTES = 2**20, 2**23
_UNKNOWN: Stamp = (-1, -1)


@dataclass(frozen=True)
class _State:
    st_size: int
    st_mtime_ns: int
    st_dev: int
    st_ino: int
    st_nlink: int = 1


class PlacedModelFiles:
    """See ``ScannedFiles``. Make it on the loop; ``close`` ends what a thread waits for."""

    def __init__(self, files: PlaceFiles) -> None:
        self._files = files
        self._loop = asyncio.get_running_loop()
        self._sizes: dict[Path, int] = {}
        self._asked: concurrent.futures.Future[Any] | None = None
        self._closed = False

    def close(self) -> None:
        self._closed = True
        if self._asked is not None:
            self._asked.cancel()

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        self._asked = asked
        if self._closed:
            asked.cancel()
        try:
            return asked.result()
        except concurrent.futures.CancelledError:
            raise RunnerUnavailable("the scan was ended") from None

    # -- what lies there

    def walk(self, request: WalkRequest) -> Iterator[WalkStep]:
        if request.folders:
            groups = self._groups(self._ask(self._files.listed([os.fspath(folder) for folder in request.folders])))
            yield from self._told(groups, request)
        if request.files:
            parts = [part for path in request.files for part in _parts(path)]
            groups = self._groups(self._ask(self._files.listed(parts)))
            yield from self._told(groups, request)
            there = {group.path for group in groups}
            for path in map(os.fspath, request.files):
                if path not in there:
                    yield WalkStep(os.path.dirname(path), 0, (ModelGroup(*os.path.split(path), None).found(),))

    def _groups(self, listed: Sequence[ListedFile]) -> list[ModelGroup]:
        groups: dict[str, ModelGroup] = {}
        for file in listed:
            path, name = os.fspath(file.path), file.path.name
            if name.startswith(APPLE_DOUBLE):
                continue
            if file.real is not None and stands_for(os.fspath(file.real), name):
                path, name = os.fspath(file.real), file.real.name
            shard = shard_name(name)
            group = ModelGroup(os.path.dirname(path), name, shard)
            group = groups.setdefault(group.path, group)
            group.parts[shard.number if shard else 1] = (
                path,
                _State(file.size_bytes, file.mtime_ns, file.device, file.inode),
            )
            self._sizes[Path(path)] = file.size_bytes
        return list(groups.values())

    def _told(self, groups: Sequence[ModelGroup], request: WalkRequest) -> Iterator[WalkStep]:
        """Of several names of the same files one is taken: the one in the library, else always the same."""
        same: dict[frozenset[tuple[int, int]], list[ModelGroup]] = {}
        for group in groups:
            same.setdefault(group.identity, []).append(group)
        for names in same.values():
            names.sort(key=lambda group: group.path)
            group = next((each for each in names if each.path in request.known), names[0])
            was = request.known.get(group.path, _UNKNOWN)
            if was == group.stamp:
                yield WalkStep(group.folder, len(group.parts), unchanged=(group.path,))
            elif was is not None:
                yield WalkStep(group.folder, len(group.parts), (group.found(),))

    def find(self, path: Path, label: str | None = None) -> FoundModel:
        groups = self._groups(self._ask(self._files.listed(_parts(path))))
        name = path.name
        group = next(iter(groups), ModelGroup(os.path.dirname(path), name, shard_name(name)))
        group.label = label
        return group.found()

    def exists(self, path: Path) -> bool:
        return bool(self._ask(self._files.listed([os.fspath(path)])))

    # -- what they contain

    def examine(self, found: FoundModel) -> ModelFile:
        sources: dict[Path, _Ranges] = {}

        @contextmanager
        def opened(path: Path) -> Iterator[ByteSource]:
            if path not in self._sizes:
                raise InvalidModelFile(path, "the file does not exist")
            if path not in sources:
                sources[path] = _Ranges(self, path, self._sizes[path])
            yield sources[path]

        return read_model(found, opened)

    def read(self, path: Path, offset: int, count: int) -> bytes:
        return self._ask(self._files.read(path, offset, count))


class _Ranges:
    """A file, in ranges that grow, because each takes the time of a round trip."""

    def __init__(self, files: PlacedModelFiles, path: Path, size: int) -> None:
        self._files = files
        self._path = path
        self.size = size
        self._next_bytes = _FIRST_BYTES
        self._kept: dict[int, bytes] = {}

    def read(self, offset: int, count: int) -> bytes:
        count = min(count, self.size - offset)
        for begin, kept in self._kept.items():
            if begin <= offset and offset + count <= begin + len(kept):
                return kept[offset - begin : offset - begin + count]
        wanted = min(max(count, self._next_bytes), self.size - offset)
        read = self._files.read(self._path, offset, wanted)
        if offset + wanted < self.size:
            self._next_bytes = min(2 * self._next_bytes, _MOST_BYTES)
        # The beginning and the latest range: the identity of the file and its header are read from them.
        self._kept = {begin: kept for begin, kept in self._kept.items() if begin == 0}
        self._kept[offset] = read
        return read[:count]


def _parts(path: Path) -> list[str]:
    shard = shard_name(path.name)
    numbers = range(1, shard.total + 1) if shard else ()
    return [os.fspath(path.with_name(shard.part(number))) for number in numbers if shard] or [os.fspath(path)]
