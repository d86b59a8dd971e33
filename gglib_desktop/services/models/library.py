"""The user's models on disk, the folders that they come from, and the scans for them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver, with_unique_names
from gglib_desktop.domain.models.scan import KnownFiles, ScanProgress, Stamp, WalkRequest
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.ports.models.model_repository import ModelFiles, ModelRepository
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.models.scanning import Companions, Elsewhere, ModelIndex, Scan, ScanBatch, at_or_below

_log = logging.getLogger(__name__)
# Refreshing the list more often helps no one; and refreshing a long list must leave time for everything else.
_BATCH_S = 0.1
_MOST_BATCH_S = 1.0
_SHARE_OF_SHOWING = 4


class RunningScans:
    """The scans that the user waits for. ``progress`` is None while there is none.

    ``asked`` tells that all models are to be looked at again, wherever they lie.
    """

    def __init__(self) -> None:
        self.progress: ScanProgress | None = None
        self._events: EventSource[ScanProgress | None] = EventSource()
        self.subscribe = self._events.add
        self.asked: EventSource[None] = EventSource()
        self._scans: list[Scan] = []
        self._index = ModelIndex(())

    @contextmanager
    def running(self, scan: Scan) -> Iterator[None]:
        self._scans.append(scan)
        try:
            yield
        finally:
            self._scans.remove(scan)
            if not self._scans:
                self.tell(None)

    def stop(self) -> None:
        """Ends the scans now; the models that were found stay."""
        for scan in self._scans:
            scan.stop()

    def tell(self, progress: ScanProgress | None) -> None:
        if progress != self.progress:
            self.progress = progress
            self._events.emit(progress)

    async def index(self, models: Sequence[Model]) -> ModelIndex:
        """The index that a scan compares files with; made once for each list."""
        if self._index.models is not models:
            self._index = await asyncio.to_thread(ModelIndex, models)
        return self._index


class ModelFolders:
    """``places`` are the known folders and stores; ``paused`` are those that scans skip.

    Models in a place stay listed when it is paused or removed. Coroutines raise LibraryError.
    """

    def __init__(self, repository: ModelRepository, tell: Callable[[], None]) -> None:
        """``tell`` is called after each change."""
        self._repository = repository
        self._tell = tell
        self.places: tuple[Path, ...] = ()
        self.paused: frozenset[Path] = frozenset()

    @property
    def watched(self) -> tuple[Path, ...]:
        """The places that scans look through."""
        return tuple(place for place in self.places if place not in self.paused)

    def is_paused(self, path: Path) -> bool:
        """Whether the innermost place of a path is paused."""
        if not self.paused:
            return False
        holding = (place for place in self.places if path.is_relative_to(place))
        return max(holding, key=lambda place: len(place.parts), default=None) in self.paused

    async def load(self) -> None:
        self.paused = frozenset(await self._repository.paused_folders())
        self.note(await self._repository.folders())

    async def added(self) -> Sequence[Path]:
        """The folders that the user added."""
        return await self._repository.folders()

    async def add(self, folders: Sequence[Path]) -> None:
        """Remembers folders for later scans, and resumes paused ones."""
        for folder in folders:
            await self._repository.add_folder(folder)
            await self._repository.pause_folder(folder, False)
        self.paused -= frozenset(folders)
        self.note(self.places, folders)

    async def remove(self, folder: Path) -> None:
        await self._repository.remove_folder(folder)
        self.paused -= {folder}
        self.note([place for place in self.places if place != folder])

    async def pause(self, folder: Path, paused: bool) -> None:
        await self._repository.pause_folder(folder, paused)
        self.paused = self.paused | {folder} if paused else self.paused - {folder}
        self._tell()

    def note(self, *places: Sequence[Path]) -> None:
        """Sets the known places."""
        now = tuple(dict.fromkeys(place for some in places for place in some))
        if now != self.places:
            self.places = now
            self._tell()


class Library:
    """The list of models, each with the facts of its file or the reason why it cannot be used.

    ``saved`` tells for which model launch options were saved.
    """

    def __init__(self, repository: ModelRepository, files: ModelFiles) -> None:
        self._repository = repository
        self._files = files
        self._events: EventSource[Sequence[Model]] = EventSource()
        self.subscribe = self._events.add
        self.saved: EventSource[int] = EventSource()
        self.models: tuple[Model, ...] = ()
        self.folders = ModelFolders(repository, lambda: self._events.emit(self.models))
        self.companions = Companions(files)
        self.scans = RunningScans()
        self._by_id: dict[int, Model] = {}
        # A server goes by its model's name, which must not change because another model was removed.
        self._removed: dict[int, Model] = {}
        self._showing = asyncio.Lock()

    def model(self, model_id: int) -> Model | None:
        return self._by_id.get(model_id)

    async def load(self) -> None:
        """Lists the stored models without looking at any file. Raises: LibraryError."""
        # First, because it reports a library that was set aside.
        models, removed = await self._repository.models(), await self._repository.removed()
        # Others ask for models meanwhile, and none may be without its name.
        named = await asyncio.to_thread(with_unique_names, (*models, *removed))
        # What was added meanwhile is newer than what was read.
        newer = self._by_id.keys() | self._removed.keys()
        loaded = {model.id: model for model in named[: len(models)] if model.id not in newer}
        self._by_id = dict(sorted({**loaded, **self._by_id}.items()))
        self._removed |= {model.id: model for model in removed if model.id not in newer}
        await self.folders.load()
        self.companions.load(await self._repository.passed_over())
        await self._show()

    async def scan(self, there: Elsewhere | None = None) -> None:
        """Looks at every model again, and for new ones in all folders and stores. Raises: LibraryError.

        ``there``: at the models of another place, in one transaction. Raises: also RunnerUnavailable; then nothing has
        changed.
        """
        if there is not None:
            await self._scan_there(there)
            return
        self.scans.asked.emit(None)
        stores, folders, (index, known) = await asyncio.gather(
            asyncio.to_thread(self._files.stores), self.folders.added(), self._known()
        )
        self.folders.note(stores, folders)
        request = WalkRequest(self.folders.watched, known=known, skipped=tuple(self.folders.paused))
        await self._run(Scan(self._files, request, index, doubt=lambda model: not self.folders.is_paused(model.path)))

    async def look_at(self, changed: Collection[Path]) -> None:
        """Looks only at what changed in the places. Raises: LibraryError."""
        changed = [path for path in changed if not self.folders.is_paused(path)]
        request, (index, known) = await asyncio.gather(
            asyncio.to_thread(self._files.touched, changed, self.folders.places), self._known()
        )
        request = replace(request, known=known, skipped=tuple(self.folders.paused))
        await self._run(Scan(self._files, request, index, doubt=at_or_below(changed)), quiet=True)

    async def add(self, paths: Iterable[Path]) -> tuple[Model, ...]:
        """Adds files, and the GGUF files anywhere below folders. Returns them in order. Raises: LibraryError.

        Folders are remembered: later scans look there again. A file that cannot be used is listed with the reason.
        """
        folders, others = await asyncio.to_thread(self._files.split, tuple(paths))
        await self.folders.add(folders)
        index = await self.scans.index(self.models)
        request = WalkRequest(tuple(folders), tuple(others), index.known, tuple(self.folders.paused))
        scan = Scan(self._files, request, index, named=True)
        await self._run(scan)
        return await asyncio.to_thread(_met, scan, self.models)

    async def remove(self, model_id: int) -> None:
        """Takes a model off the list until it is brought back or added again. Its file stays. Raises: LibraryError."""
        await self._repository.remove(model_id)
        model = self._by_id.pop(model_id, None)
        if model is not None:
            self._removed[model_id] = model
        await self._show()

    async def removed(self) -> Sequence[Path]:
        """The files of the removed models. Raises: LibraryError."""
        return [file.path for file in await self._repository.passed_over() if file.removed]

    async def bring_back(self, path: Path) -> Model | None:
        """Lists a removed model again at its old place; None if its file is gone. Raises: LibraryError."""
        model = await self._repository.bring_back(path)
        if model is None:
            # An earlier version kept only the path.
            return next(iter(await self.add([path])), None)
        self._removed.pop(model.id, None)
        self._by_id = dict(sorted({**self._by_id, model.id: model}.items()))
        await self._show()
        return self.model(model.id)

    async def create_demo(self) -> Model | None:
        """Makes the demo model and adds it; None if the scan was stopped meanwhile. Raises: LibraryError."""
        added = await self.add([await asyncio.to_thread(self._files.write_demo)])
        return next(iter(added), None)

    async def note_used(self, model_id: int) -> None:
        """Notes that a server of the model is being started. Failing to save that is only logged."""
        when = time.time()
        try:
            await self._repository.note_used(model_id, when)
        except LibraryError as exc:
            _log.warning("%s", exc)
            return
        model = self._by_id.get(model_id)
        if model is not None:
            self._by_id[model_id] = replace(model, last_used=when)
            await self._show()

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        """Keeps the user's own words about a model. Raises: LibraryError."""
        await self._repository.describe(model_id, tags, notes)
        model = self._by_id.get(model_id)
        if model is not None:
            self._by_id[model_id] = replace(model, tags=tuple(tags), notes=notes)
            await self._show()

    async def launch_options(self, model_id: int) -> LaunchOptions:
        return await self._repository.launch_options(model_id)

    async def examine(self, path: Path) -> ModelFile:
        """The present content of a model file, without anything known before."""
        return await asyncio.to_thread(lambda: self._files.examine(self._files.find(path)))

    async def restart_policy(self, model_id: int, otherwise: RestartPolicy | None = None) -> RestartPolicy:
        """What the user wants if this model's server crashes; ``otherwise`` is the choice for all models.

        NEVER if the user has not chosen, or if the choice cannot be read.
        """
        try:
            return (await self._repository.launch_options(model_id)).restart or otherwise or RestartPolicy.NEVER
        except LibraryError as exc:
            _log.warning("%s", exc)
            return RestartPolicy.NEVER

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        """Raises: LibraryError."""
        await self._repository.save_launch_options(model_id, options)
        self.saved.emit(model_id)

    # -- scanning

    async def _run(self, scan: Scan, *, quiet: bool = False) -> None:
        """The user hears only of what a ``quiet`` scan finds, and cannot stop it."""
        with contextlib.nullcontext() if quiet else self.scans.running(scan):
            limit_s = _BATCH_S
            try:
                while not (batch := await asyncio.to_thread(scan.next_batch, limit_s)).done:
                    limit_s = await self._keep(batch) or limit_s
                    if not quiet:
                        self.scans.tell(batch.progress)
                await self._keep(batch)
                await self.companions.forget_gone()
            finally:
                scan.stop()

    async def _scan_there(self, there: Elsewhere) -> None:
        index = await asyncio.to_thread(ModelIndex, self.models, there.place)
        removed = [(os.fspath(each.path), None) for each in self._removed.values() if each.place == there.place]
        request = WalkRequest(tuple(map(Path, there.folders)), known=index.known.and_also(removed))
        scan = Scan(there.files, request, index, doubt=lambda _model: True)
        try:
            batch = await asyncio.to_thread(scan.next_batch, math.inf)
        finally:
            scan.stop()
        if batch.entries:
            self._take(await self._repository.save(batch.entries, place=there.place))
            await self._show()

    async def _keep(self, batch: ScanBatch) -> float | None:
        """Saves and lists the result of a batch. How long the next one may take, None if it found nothing."""
        self.companions.note_stores(batch)
        if not batch.entries and not batch.passed_over:
            return None
        saved = await self._repository.save(batch.entries, batch.passed_over)
        self.companions.note_files(batch)
        began = time.monotonic()
        self._take(saved)
        await self._show()
        cost_s = time.monotonic() - began
        return min(max(_BATCH_S, _SHARE_OF_SHOWING * cost_s), _MOST_BATCH_S)

    def _take(self, saved: Sequence[Model]) -> None:
        moved = {(model.place, model.path): model.id for model in saved if self._has_moved(model)}
        if moved:
            # Each took the place of a model that another scan took for new.
            twins = {key for key, model in self._by_id.items() if moved.get((model.place, model.path), key) != key}
            self._by_id = {key: model for key, model in self._by_id.items() if key not in twins}
        self._by_id.update((model.id, model) for model in saved)
        for model in saved:
            self._removed.pop(model.id, None)

    def _has_moved(self, model: Model) -> bool:
        before = self._by_id.get(model.id)
        return before is not None and before.path != model.path

    async def _known(self) -> tuple[ModelIndex, KnownFiles]:
        """The models, and the stamps of all files that need not be read again."""
        index, passed_over = await asyncio.gather(self.scans.index(self.models), self._repository.passed_over())
        others = ((os.fspath(file.path), None if file.removed else _stamp(file)) for file in passed_over)
        return index, index.known.and_also(others)

    async def _show(self) -> None:
        """Lists the models by their names. In a thread: a name depends on all models, and there may be thousands."""
        async with self._showing:
            listed = tuple(self._by_id.values())
            named = await asyncio.to_thread(with_unique_names, (*listed, *self._removed.values()))
            named = named[: len(listed)]
            for before, model in zip(listed, named, strict=True):
                if model is not before and self._by_id.get(model.id) is before:
                    self._by_id[model.id] = model
            if named != self.models:
                self.models = named
                self._events.emit(named)


def _met(scan: Scan, models: Sequence[Model]) -> tuple[Model, ...]:
    by_path = {os.fspath(model.path): model for model in models if model.is_here}
    return tuple(by_path[path] for path in scan.met() if path in by_path)


def _stamp(file: PassedOver) -> Stamp:
    return file.size_bytes or 0, file.mtime_ns or 0
