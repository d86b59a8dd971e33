"""Finds model files below folders: plain trees, Hugging Face's cache, LM Studio's tree, Ollama's store."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gglib_desktop.adapters.library.model_group import APPLE_DOUBLE, SUFFIX, ModelGroup, stands_for
from gglib_desktop.adapters.library.ollama_store import adapters_by_blob, models_of_store
from gglib_desktop.domain.models.scan import FoundModel, Stamp, WalkRequest, WalkStep
from gglib_desktop.domain.models.shards import shard_name

_log = logging.getLogger(__name__)
_UNKNOWN: Stamp = (-1, -1)
# A longer list of names is kept as a set, because names are looked up in it.
_MOST_SOUGHT = 100


@dataclass
class _Folder:
    """The contents of one folder besides unchanged files."""

    path: str
    found: list[FoundModel] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    special: list[tuple[str, os.stat_result, bool]] = field(default_factory=list)  # name, state, whether a link

    def path_of(self, name: str) -> str:
        return os.path.join(self.path, name)

    def note_folder(self, entry: os.DirEntry[str]) -> None:
        try:
            if entry.is_dir():
                # By its real name, so that a loop of links ends and a folder with two paths is walked once.
                path = self.path_of(entry.name)
                self.below.append(os.path.realpath(path) if entry.is_symlink() else path)
        except OSError as exc:
            _log.info("passed over %s in %s: %s", entry.name, self.path, exc)


class ModelWalk:
    """One look at the places of a request. Nothing is opened for writing, and folders that cannot be read are skipped.

    A link to a GGUF file stands for that file. A link to a file with another kind of name, as in Hugging Face's cache,
    is the model's path. Of several links or hard links to one file only one is taken.
    """

    def __init__(self, request: WalkRequest) -> None:
        self._request = request
        self._known = request.known
        self._folders: list[str] = []
        self._entered = {os.path.realpath(folder) for folder in request.skipped}
        self._met: set[str] = set()
        self._same: dict[str, Collection[str]] = {}
        self._linked: dict[str, None] = {}
        self._single_files: set[frozenset[tuple[int, int]]] = set()
        self._shared: dict[frozenset[tuple[int, int]], list[ModelGroup]] = {}
        self._by_stamp: dict[Stamp, list[str]] | None = None

    def steps(self) -> Iterator[WalkStep]:
        """Blocks, a folder at a time. Results that depend on all folders come last."""
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
        there = _Folder(folder)
        get = self._known.in_folder(folder).get
        same: list[str] = []
        seen = 0
        with _opened(folder) as entries:
            for entry in entries:  # the hot loop: once for each file on the disk
                name = entry.name
                if name[-5:] != SUFFIX and name[-5:].lower() != SUFFIX:
                    there.note_folder(entry)
                    continue
                try:
                    state = entry.stat()
                except OSError:
                    continue  # a dangling link, or gone since
                seen += 1
                was = get(name, _UNKNOWN)
                if was == (state.st_size, state.st_mtime_ns) and "-of-" not in name:
                    # Links and hard links too: they identify the other names of this file.
                    same.append(name)
                else:
                    self._other(there, entry, state, was)
        self._same[folder] = same if len(same) < _MOST_SOUGHT else frozenset(same)
        self._met.update(os.fspath(each.path) for each in there.found)
        unchanged: list[str] = []
        self._special(there, unchanged)
        yield WalkStep(folder, seen, tuple(there.found), tuple(unchanged), tuple(same))
        below = there.below
        if len(below) > 1 and {"manifests", "blobs"} <= {os.path.basename(path) for path in below}:
            yield self._ollama(folder)  # neither folder holds a file with a model's name
        self._folders.extend(below)

    def _other(self, there: _Folder, entry: os.DirEntry[str], state: os.stat_result, was: Stamp | None) -> None:
        """Sorts a new or changed file with a model's name."""
        if not stat.S_ISREG(state.st_mode):
            there.note_folder(entry)
        elif entry.name.startswith(APPLE_DOUBLE):
            return
        elif "-of-" in entry.name or state.st_nlink != 1 or entry.is_symlink():
            there.special.append((entry.name, state, entry.is_symlink()))
        elif was is not None:
            path = Path(there.path_of(entry.name))
            there.found.append(FoundModel(path, (path,), (state.st_size, state.st_mtime_ns)))

    def _is_met(self, path: str) -> bool:
        folder, name = os.path.split(path)
        return path in self._met or name in self._same.get(folder, ())

    def _special(self, there: _Folder, unchanged: list[str]) -> None:
        groups: dict[str, ModelGroup] = {}
        for file_name, state, is_link in there.special:
            path = there.path_of(file_name)
            real = os.path.realpath(path) if is_link else ""
            if stands_for(real, file_name):
                self._linked[real] = None
                continue
            shard = shard_name(file_name)
            name = shard.part(1) if shard else file_name
            group = groups.setdefault(name, ModelGroup(there.path, file_name, shard))
            group.parts[shard.number if shard else 1] = (path, state)
        for group in groups.values():
            self._offer(group, there.found, unchanged)

    def _offer(self, group: ModelGroup, found: list[FoundModel], unchanged: list[str]) -> None:
        """Yields a group at once, or at the end if its files may have other names too."""
        shared = any(state.st_nlink > 1 or os.path.islink(path) for path, state in group.parts.values())
        if shared or group.label:
            self._shared.setdefault(group.identity, []).append(group)
            return
        self._tell(group, found, unchanged)

    def _tell(self, group: ModelGroup, found: list[FoundModel], unchanged: list[str]) -> None:
        self._met.add(group.path)
        was = self._known.get(group.path, _UNKNOWN)
        if was == group.stamp:
            unchanged.append(group.path)
        elif was is not None:
            found.append(group.found())

    def _settle(self, groups: list[ModelGroup]) -> WalkStep:
        """Chooses among the names of one model: its name in the library, else always the same one."""
        found: list[FoundModel] = []
        unchanged: list[str] = []
        # Weights that also have a name without an adapter go by that one.
        groups.sort(key=lambda group: (group.is_adapted, group.label or "", group.path))
        group = next((group for group in groups if group.path in self._known), groups[0])
        twin = None if group.path in self._known else self._twin(group)
        if twin is not None:
            unchanged.append(twin)
        elif not self._is_met(group.path):
            self._tell(group, found, unchanged)
        return WalkStep(group.folder, 0, tuple(found), tuple(unchanged))

    def _twin(self, group: ModelGroup) -> str | None:
        """The library's path of the same file, if it lies elsewhere."""
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
        models = list(models_of_store(Path(folder)))
        for model in models:
            try:
                state = model.blob.stat()
            except OSError as exc:
                _log.info("passed over %s of %s: %s", model.label, folder, exc)
                continue
            seen += 1
            path = os.fspath(model.blob)
            group = ModelGroup(os.path.dirname(path), model.blob.name, None, {1: (path, state)}, model.label)
            group.is_adapted = bool(model.adapters)
            self._shared.setdefault(group.identity, []).append(group)
            there = (path for path in model.projectors if os.path.isfile(path))
            companions[model.blob] = tuple(dict.fromkeys((*companions.get(model.blob, ()), *there)))
        adapters = adapters_by_blob(models)
        return WalkStep(folder, seen, companions=tuple(companions.items()), adapters=tuple(adapters.items()))

    # -- single files

    def _single(self, path: str) -> WalkStep:
        path = _plain_path(path)
        folder, _name = os.path.split(path)
        if self._is_met(path):
            return WalkStep(folder, 0)
        group, problem = _group_at(path)
        found: list[FoundModel] = []
        unchanged: list[str] = []
        if group.parts and group.identity in self._single_files:
            return WalkStep(folder, 0)
        if group.parts and (others := self._shared.get(group.identity)) is not None:
            # It was met in a folder under another name: one of its names is chosen at the end.
            others.append(group)
            return WalkStep(folder, 0)
        self._single_files.add(group.identity)
        if not group.parts:
            found.append(group.found(problem))
        elif not self._is_met(group.path):
            twin = None if group.path in self._known else self._twin(group)
            if twin is not None:
                unchanged.append(twin)
            else:
                self._tell(group, found, unchanged)
        return WalkStep(folder, len(group.parts), tuple(found), tuple(unchanged))


def model_at(path: Path, label: str | None = None) -> FoundModel:
    """The files of the model with this path. Links stay: the engine gets this path."""
    group, problem = _group_at(os.fspath(path))
    group.label = label
    return group.found(problem)


def _group_at(path: str) -> tuple[ModelGroup, str | None]:
    """The existing parts, and why one of them cannot be examined."""
    folder, name = os.path.split(path)
    shard = shard_name(name)
    group, problem = ModelGroup(folder, name, shard), None
    for number in range(1, shard.total + 1) if shard else (1,):
        each = os.path.join(folder, shard.part(number)) if shard else path
        try:
            group.parts[number] = (each, os.stat(each))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as exc:
            problem = f"the file cannot be read: {getattr(exc, 'strerror', None) or exc}"
    return group, problem


def _plain_path(path: str) -> str:
    """The path without links, except for a link that gives the file its name."""
    path = os.path.abspath(os.path.expanduser(path))
    folder, name = os.path.split(path)
    named = os.path.join(os.path.realpath(folder), name)
    if os.path.islink(named):
        real = os.path.realpath(named)
        return real if stands_for(real, name) else named
    return named


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[Sequence[os.DirEntry[str]]]:
    """The entries of the folder. If the system can, files are opened by their names relative to it, which takes a
    quarter less time in deep trees; ``path`` of an entry is then its name.
    """
    listed: Sequence[os.DirEntry[str]] = ()
    number: int | None = None
    try:
        try:
            if os.scandir in os.supports_fd:
                number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            with os.scandir(folder if number is None else number) as entries:
                listed = list(entries)
        except OSError as exc:
            _log.info("passed over the folder %s: %s", folder, exc)
        yield listed
    finally:
        if number is not None:
            os.close(number)


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
