"""Finds model files below folders: plain trees of any depth, Hugging Face's cache, LM Studio's tree, Ollama's store."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.ollama_store import models_of_store
from gglib_desktop.domain.model import NO_SUCH_FILE
from gglib_desktop.domain.scan import FoundModel, Stamp, WalkRequest, WalkStep
from gglib_desktop.domain.shards import ShardName, missing_parts_text, shard_name

_log = logging.getLogger(__name__)
_SUFFIX = ".gguf"
_UNKNOWN: Stamp = (-1, -1)


@dataclass
class _Group:
    """The file of one model, or the parts of one that are there, by number."""

    folder: str
    name: str
    shard: ShardName | None
    parts: dict[int, tuple[str, os.stat_result]] = field(default_factory=dict)
    label: str | None = None

    @property
    def path(self) -> str:
        return os.path.join(self.folder, self.shard.part(1) if self.shard else self.name)  # noqa: PTH118  # hot

    @property
    def stamp(self) -> Stamp:
        states = [state for _path, state in self.parts.values()]
        return sum(state.st_size for state in states), max(state.st_mtime_ns for state in states)

    @property
    def identity(self) -> frozenset[tuple[int, int]]:
        return frozenset((state.st_dev, state.st_ino) for _path, state in self.parts.values())

    def found(self) -> FoundModel:
        total = self.shard.total if self.shard else 1
        absent = [number for number in range(1, total + 1) if number not in self.parts]
        return FoundModel(
            Path(self.path),
            tuple(Path(self.parts[number][0]) for number in sorted(self.parts)),
            self.stamp,
            self.label,
            missing_parts_text(absent, self.shard) if absent and self.shard else None,
        )


class ModelWalk:
    """One look at the places of a request. Nothing is opened for writing, and folders that cannot be read are skipped.

    A link to a GGUF file stands for that file. A link to a file of another name, as in Hugging Face's cache, is the
    model's path; of several links or hard links to one file only one is taken.
    """

    def __init__(self, request: WalkRequest) -> None:
        self._request = request
        self._known = request.known
        self._folders: list[str] = []
        self._entered: set[str] = set()
        self._met: set[str] = set()
        self._linked: dict[str, None] = {}
        self._single_files: set[frozenset[tuple[int, int]]] = set()
        self._shared: dict[frozenset[tuple[int, int]], list[_Group]] = {}
        self._by_stamp: dict[Stamp, list[str]] | None = None

    def steps(self) -> Iterator[WalkStep]:
        """Blocks, a folder at a time. What depends on all folders comes last."""
        roots = {os.path.realpath(os.fspath(folder)): None for folder in self._request.folders}
        self._folders.extend(roots)
        while self._folders:
            folder = self._folders.pop()
            if folder not in self._entered:
                self._entered.add(folder)
                yield from self._folder(folder)
        for path in self._linked:
            yield self._single(path)
        for file in self._request.files:
            yield self._single(os.fspath(file))
        for groups in self._shared.values():
            yield self._settle(groups)

    # -- folders

    def _folder(self, folder: str) -> Iterator[WalkStep]:
        get = self._known.get
        unchanged: list[str] = []
        special: list[os.DirEntry[str]] = []
        found: list[FoundModel] = []
        below: list[str] = []
        seen = 0
        for entry in _entries(folder):  # the hot loop: once for each file on the disk
            name = entry.name
            if name[-5:] != _SUFFIX and name[-5:].lower() != _SUFFIX:
                self._note_folder(entry, below)
                continue
            try:
                state = entry.stat()
            except OSError:
                continue  # a link to nowhere, or gone since
            seen += 1
            path = entry.path
            stamp = (state.st_size, state.st_mtime_ns)
            was = get(path, _UNKNOWN)
            if was == stamp and "-of-" not in name:
                # Also links and hard links: the other names of this file are then recognised by it.
                unchanged.append(path)
            elif "-of-" in name or state.st_nlink != 1 or entry.is_symlink():
                if stat.S_ISDIR(state.st_mode):
                    self._note_folder(entry, below)
                elif stat.S_ISREG(state.st_mode):
                    special.append(entry)
            elif was is not None and stat.S_ISREG(state.st_mode):
                found.append(FoundModel(Path(path), (Path(path),), stamp))
            elif was is not None:
                self._note_folder(entry, below)
        self._met.update(unchanged)
        if found or special:
            self._met.update(os.fspath(each.path) for each in found)
            self._special(folder, special, found, unchanged)
        yield WalkStep(folder, seen, tuple(found), tuple(unchanged))
        if len(below) > 1 and {"manifests", "blobs"} <= {os.path.basename(path) for path in below}:  # noqa: PTH119
            yield self._ollama(folder)  # neither folder holds a file of a model's name
        self._folders.extend(below)

    def _note_folder(self, entry: os.DirEntry[str], below: list[str]) -> None:
        try:
            if entry.is_dir():
                # Entered under its real name, so that neither a loop of links nor two ways to it are walked twice.
                below.append(os.path.realpath(entry.path) if entry.is_symlink() else entry.path)
        except OSError as exc:
            _log.info("passed over %s: %s", entry.path, exc)

    def _special(
        self, folder: str, entries: Iterable[os.DirEntry[str]], found: list[FoundModel], unchanged: list[str]
    ) -> None:
        groups: dict[str, _Group] = {}
        for entry in entries:
            real = os.path.realpath(entry.path) if entry.is_symlink() else ""
            if is_model_name(real):
                self._linked[real] = None
                continue
            shard = shard_name(entry.name)
            name = shard.part(1) if shard else entry.name
            group = groups.setdefault(name, _Group(folder, entry.name, shard))
            group.parts[shard.number if shard else 1] = (entry.path, entry.stat())
        for group in groups.values():
            self._offer(group, found, unchanged)

    def _offer(self, group: _Group, found: list[FoundModel], unchanged: list[str]) -> None:
        """Tells of a group at once, or at the end if its files may have other names too."""
        shared = any(state.st_nlink > 1 or os.path.islink(path) for path, state in group.parts.values())  # noqa: PTH114
        if shared or group.label:
            self._shared.setdefault(group.identity, []).append(group)
            return
        self._tell(group, found, unchanged)

    def _tell(self, group: _Group, found: list[FoundModel], unchanged: list[str]) -> None:
        self._met.add(group.path)
        was = self._known.get(group.path, _UNKNOWN)
        if was == group.stamp:
            unchanged.append(group.path)
        elif was is not None:
            found.append(group.found())

    def _settle(self, groups: list[_Group]) -> WalkStep:
        """Chooses among the names of one model: the one it has in the library, else always the same one."""
        found: list[FoundModel] = []
        unchanged: list[str] = []
        groups.sort(key=lambda group: (group.label or "", group.path))
        group = next((group for group in groups if group.path in self._known), groups[0])
        twin = None if group.path in self._known else self._twin(group)
        if twin is not None:
            unchanged.append(twin)
        elif group.path not in self._met:
            self._tell(group, found, unchanged)
        return WalkStep(group.folder, 0, tuple(found), tuple(unchanged))

    def _twin(self, group: _Group) -> str | None:
        """The path by which the library knows the same file, from another place."""
        if self._by_stamp is None:
            self._by_stamp = {}
            for path, stamp in self._known.items():
                if stamp is not None:
                    self._by_stamp.setdefault(stamp, []).append(path)
        first = min(group.parts)
        for path in self._by_stamp.get(group.stamp, ()):
            if _same_file(path, group.parts[first][0]):
                return path
        return None

    def _ollama(self, folder: str) -> WalkStep:
        seen = 0
        companions: dict[Path, tuple[Path, ...]] = {}
        for model in models_of_store(Path(folder)):
            try:
                state = model.blob.stat()
            except OSError as exc:
                _log.info("passed over %s of %s: %s", model.label, folder, exc)
                continue
            seen += 1
            path = os.fspath(model.blob)
            group = _Group(os.path.dirname(path), model.blob.name, None, {1: (path, state)}, model.label)  # noqa: PTH120
            self._shared.setdefault(group.identity, []).append(group)
            there = (path for path in model.projectors if path.is_file())
            companions[model.blob] = tuple(dict.fromkeys((*companions.get(model.blob, ()), *there)))
        return WalkStep(folder, seen, companions=tuple(companions.items()))

    # -- single files

    def _single(self, path: str) -> WalkStep:
        path = _plain_path(path)
        folder, name = os.path.split(path)
        if path in self._met:
            return WalkStep(folder, 0)
        shard = shard_name(name)
        group = _Group(folder, name, shard)
        problem = None
        numbers = range(1, shard.total + 1) if shard else (1,)
        for number in numbers:
            each = os.path.join(folder, shard.part(number)) if shard else path  # noqa: PTH118  # hot
            try:
                group.parts[number] = (each, os.stat(each))  # noqa: PTH116  # hot
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError) as exc:
                problem = f"the file cannot be read: {getattr(exc, 'strerror', None) or exc}"
        found: list[FoundModel] = []
        unchanged: list[str] = []
        if group.parts and group.identity in self._single_files:
            return WalkStep(folder, 0)
        self._single_files.add(group.identity)
        if not group.parts:
            found.append(FoundModel(Path(group.path), (), problem=problem or NO_SUCH_FILE))
        elif group.path not in self._met:
            twin = None if group.path in self._known else self._twin(group)
            if twin is not None:
                unchanged.append(twin)
            else:
                self._tell(group, found, unchanged)
        return WalkStep(folder, len(group.parts), tuple(found), tuple(unchanged))


def is_model_name(name: str) -> bool:
    """Whether a file of this name or path is looked at."""
    return name.lower().endswith(_SUFFIX)


def _plain_path(path: str) -> str:
    """The path without links, except a link that gives the file its name."""
    path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  # surrogates and speed
    folder, name = os.path.split(path)
    named = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
    if os.path.islink(named):  # noqa: PTH114
        real = os.path.realpath(named)
        return real if is_model_name(real) else named
    return named


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as exc:
        _log.info("passed over the folder %s: %s", folder, exc)
        return []


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121  # hot
    except OSError:
        return False
