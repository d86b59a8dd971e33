"""The models that the user has, where they are on disk."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.errors import LibraryError
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.companions import Companion, StoredAdapters, companions_of, sidecars_of
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver, with_unique_names
from gglib_desktop.domain.models.scan import KnownFiles, ScanProgress, Stamp, WalkRequest
from gglib_desktop.domain.servers.restart import RestartPolicy
from gglib_desktop.ports.models.model_repository import ModelFiles, ModelRepository
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.models.scanning import ModelIndex, Scan, at_or_below

_log = logging.getLogger(__name__)
# A list that is shown anew more often is no use to anybody; and a long one must leave time for everything else.
_BATCH_S = 0.1
_MOST_BATCH_S = 1.0
_SHARE_OF_SHOWING = 4


class Library:
    """The list of models, each with the facts of its file or the reason why it cannot be used.

    ``progress`` is None while nothing is looked for.
    """

    def __init__(self, repository: ModelRepository, files: ModelFiles) -> None:
        self._repository = repository
        self._files = files
        self._events: EventSource[Sequence[Model]] = EventSource()
        self._progress_events: EventSource[ScanProgress | None] = EventSource()
        self.subscribe = self._events.add
        self.subscribe_progress = self._progress_events.add
        self._saved_events: EventSource[int] = EventSource()
        self.subscribe_saved = self._saved_events.add
        """Tells for which model launch options were saved."""
        self.models: tuple[Model, ...] = ()
        self.places: tuple[Path, ...] = ()
        """The folders and stores that models come from, as far as they are known by now."""
        self.paused: frozenset[Path] = frozenset()
        """Those that are not looked through for now; what was found there stays listed."""
        self.progress: ScanProgress | None = None
        self._by_id: dict[int, Model] = {}
        # What is served goes by its model's name: it must not change because another model was taken off the list.
        self._removed: dict[int, Model] = {}
        self._companions: dict[Path, PassedOver] = {}
        self._stored_companions: dict[Path, tuple[Path, ...]] = {}
        self._adapters: dict[Path, StoredAdapters] = {}
        self._index = ModelIndex(())
        self._showing = asyncio.Lock()
        self._scans: list[Scan] = []

    @property
    def watched(self) -> tuple[Path, ...]:
        """The places that are looked through."""
        return tuple(place for place in self.places if place not in self.paused)

    def model(self, model_id: int) -> Model | None:
        return self._by_id.get(model_id)

    def companions(self, model: Model) -> tuple[Path, ...]:
        """The vision projectors that belong to a model, as far as they are known by now; the likeliest first."""
        return (*self._stored_companions.get(model.path, ()), *companions_of(model.path, self._companions))

    def offered_with(self, model: Model) -> tuple[Companion, ...]:
        """All that may be loaded together with a model, as far as it is known by now."""
        others = (
            Companion(each.path, each.sidecar, each.facts.architecture)
            for each in self.models
            if each.sidecar is not None and each.facts is not None and not each.missing
        )
        architecture = model.facts.architecture if model.facts else None
        return (
            *map(Companion, self.companions(model)),
            *(Companion(path, Sidecar.ADAPTER) for path in self._adapters.get(model.path, StoredAdapters()).some),
            *sidecars_of(model.path, architecture, others),
        )

    def adapters(self, model: Model) -> tuple[Path, ...]:
        """The adapters without which the model would be another, as they were read last."""
        return self._adapters.get(model.path, StoredAdapters()).always

    async def read_adapters(self, model: Model) -> None:
        """Looks again what a model's store says is loaded with it."""
        if model.label is not None:  # a store's own name for it
            self._adapters[model.path] = await asyncio.to_thread(self._files.adapters, model.path)

    async def load(self) -> None:
        """Lists what is stored, without a look at any file. Raises: LibraryError."""
        # First, as it tells of a library that was set aside.
        self._by_id = {model.id: model for model in await self._repository.models()}
        self._removed = {model.id: model for model in await self._repository.removed()}
        self.paused = frozenset(await self._repository.paused_folders())
        self._note_places(await self._repository.folders())
        self._companions = {file.path: file for file in await self._repository.passed_over() if not file.removed}
        await self._show()

    async def scan(self) -> None:
        """Looks at every model again, and for new ones in all folders and stores. Raises: LibraryError."""
        stores, folders, (index, known) = await asyncio.gather(
            asyncio.to_thread(self._files.stores), self._repository.folders(), self._known()
        )
        self._note_places(stores, folders)
        request = WalkRequest(self.watched, known=known, skipped=tuple(self.paused))
        await self._run(Scan(self._files, request, index, doubt=lambda model: not self._rests(model.path)))

    async def look_at(self, changed: Collection[Path]) -> None:
        """Takes note of what came, went or changed in the places by a look there alone. Raises: LibraryError."""
        changed = [path for path in changed if not self._rests(path)]
        request, (index, known) = await asyncio.gather(
            asyncio.to_thread(self._files.touched, changed, self.places), self._known()
        )
        request = replace(request, known=known, skipped=tuple(self.paused))
        await self._run(Scan(self._files, request, index, doubt=at_or_below(changed)), quiet=True)

    def _rests(self, path: Path) -> bool:
        """Whether the innermost of the places that hold a path is paused."""
        if not self.paused:
            return False
        holding = (place for place in self.places if path.is_relative_to(place))
        return max(holding, key=lambda place: len(place.parts), default=None) in self.paused

    def stop_scan(self) -> None:
        """Ends what looks for models now; what was found stays."""
        for scan in self._scans:
            scan.stop()

    async def add(self, paths: Iterable[Path]) -> tuple[Model, ...]:
        """Adds files, and the GGUF files anywhere below folders. Returns them in order. Raises: LibraryError.

        Folders are remembered: later scans look there again. A file that cannot be used is listed with the reason.
        """
        folders, others = await asyncio.to_thread(self._files.split, tuple(paths))
        for folder in folders:
            await self._repository.add_folder(folder)
            await self._repository.pause_folder(folder, False)
        self.paused -= frozenset(folders)
        self._note_places(self.places, folders)
        index = await self._indexed()
        request = WalkRequest(tuple(folders), tuple(others), index.known, tuple(self.paused))
        scan = Scan(self._files, request, index, named=True)
        await self._run(scan)
        by_path = {os.fspath(model.path): model for model in self.models}
        return tuple(by_path[path] for path in scan.met() if path in by_path)

    async def folders(self) -> Sequence[Path]:
        """The folders that are looked through at each scan. Raises: LibraryError."""
        return await self._repository.folders()

    async def remove_folder(self, folder: Path) -> None:
        """Looks there no more; what was found there stays listed. Raises: LibraryError."""
        await self._repository.remove_folder(folder)
        self.paused -= {folder}
        self._note_places([place for place in self.places if place != folder])

    async def pause_folder(self, folder: Path, paused: bool) -> None:
        """Looks there no more until it is resumed; what was found there stays listed. Raises: LibraryError."""
        await self._repository.pause_folder(folder, paused)
        self.paused = self.paused | {folder} if paused else self.paused - {folder}
        self._events.emit(self.models)

    async def remove(self, model_id: int) -> None:
        """Takes a model off the list, until it is brought back or added again; its file stays. Raises: LibraryError."""
        await self._repository.remove(model_id)
        model = self._by_id.pop(model_id, None)
        if model is not None:
            self._removed[model_id] = model
        await self._show()

    async def removed(self) -> Sequence[Path]:
        """The files of the models that were taken off the list. Raises: LibraryError."""
        return [file.path for file in await self._repository.passed_over() if file.removed]

    async def bring_back(self, path: Path) -> Model | None:
        """Lists a model again that was taken off, where it stood; None when its file is gone. Raises: LibraryError."""
        model = await self._repository.bring_back(path)
        if model is None:
            # An earlier version kept the path alone.
            return next(iter(await self.add([path])), None)
        self._removed.pop(model.id, None)
        self._by_id = dict(sorted({**self._by_id, model.id: model}.items()))
        await self._show()
        return self.model(model.id)

    async def create_demo(self) -> Model | None:
        """Makes the demo model and adds it; None when scanning was stopped meanwhile. Raises: LibraryError."""
        added = await self.add([await asyncio.to_thread(self._files.write_demo)])
        return next(iter(added), None)

    async def note_used(self, model_id: int) -> None:
        """A server of the model is being started. A failure to keep that is only logged."""
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
        """What a model file tells now, whatever was known of it before."""
        return await asyncio.to_thread(lambda: self._files.examine(self._files.find(path)))

    async def restart_policy(self, model_id: int, otherwise: RestartPolicy | None = None) -> RestartPolicy:
        """What the user wants when this model's server crashes, ``otherwise`` what goes for all models.

        NEVER when nothing was said, or it cannot be read.
        """
        try:
            return (await self._repository.launch_options(model_id)).restart or otherwise or RestartPolicy.NEVER
        except LibraryError as exc:
            _log.warning("%s", exc)
            return RestartPolicy.NEVER

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        """Raises: LibraryError."""
        await self._repository.save_launch_options(model_id, options)
        self._saved_events.emit(model_id)

    # -- scanning

    async def _run(self, scan: Scan, *, quiet: bool = False) -> None:
        """Of a ``quiet`` scan nobody hears but of what it finds, and nobody stops it."""
        if not quiet:
            self._scans.append(scan)
        limit_s = _BATCH_S
        try:
            while True:
                batch = await asyncio.to_thread(scan.next_batch, limit_s)
                self._stored_companions.update(batch.companions)
                self._adapters.update(batch.adapters)
                if batch.entries or batch.passed_over:
                    saved = await self._repository.save(batch.entries, batch.passed_over)
                    self._companions.update((file.path, file) for file in batch.passed_over)
                    began = time.monotonic()
                    self._take(saved)
                    await self._show()
                    cost_s = time.monotonic() - began
                    limit_s = min(max(_BATCH_S, _SHARE_OF_SHOWING * cost_s), _MOST_BATCH_S)
                if batch.done:
                    await self._forget_companions()
                    return
                if not quiet:
                    self._tell_progress(batch.progress)
        finally:
            scan.stop()
            if not quiet:
                self._scans.remove(scan)
            if not self._scans:
                self._tell_progress(None)

    def _take(self, saved: Sequence[Model]) -> None:
        moved = {model.path: model.id for model in saved if self._has_moved(model)}
        if moved:
            # Each took the place of what another scan thought to be new.
            self._by_id = {key: model for key, model in self._by_id.items() if moved.get(model.path, key) == key}
        self._by_id.update((model.id, model) for model in saved)
        for model in saved:
            self._removed.pop(model.id, None)

    def _has_moved(self, model: Model) -> bool:
        before = self._by_id.get(model.id)
        return before is not None and before.path != model.path

    async def _forget_companions(self) -> None:
        companions = tuple(self._companions)
        exist = await asyncio.to_thread(lambda: [self._files.exists(path) for path in companions])
        for path, there in zip(companions, exist, strict=True):
            if not there:
                self._companions.pop(path, None)

    def _tell_progress(self, progress: ScanProgress | None) -> None:
        if progress != self.progress:
            self.progress = progress
            self._progress_events.emit(progress)

    def _note_places(self, *places: Sequence[Path]) -> None:
        now = tuple(dict.fromkeys(place for some in places for place in some))
        if now != self.places:
            self.places = now
            self._events.emit(self.models)

    async def _known(self) -> tuple[ModelIndex, KnownFiles]:
        """The models, and the stamps of all files that need not be read again."""
        index, passed_over = await asyncio.gather(self._indexed(), self._repository.passed_over())
        others = ((os.fspath(file.path), None if file.removed else _stamp(file)) for file in passed_over)
        return index, index.known.and_also(others)

    async def _indexed(self) -> ModelIndex:
        if self._index.models is not self.models:
            self._index = await asyncio.to_thread(ModelIndex, self.models)
        return self._index

    async def _show(self) -> None:
        """Lists the models under their names. In a thread: names depend on all models, and there may be thousands."""
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


def _stamp(file: PassedOver) -> Stamp:
    return file.size_bytes or 0, file.mtime_ns or 0
