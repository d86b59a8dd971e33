"""One scan of the disks for models, in batches that a thread takes one after the other, and the files it met."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from gglib_desktop.domain.gguf.sidecars import WHY_NOT_STARTED, Sidecar
from gglib_desktop.domain.models.companions import Companion, StoredAdapters, companions_of, sidecars_of
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver
from gglib_desktop.domain.models.scan import FoundModel, KnownFiles, ScanProgress, WalkRequest, WalkStep
from gglib_desktop.domain.servers.server import OWN_PLACE
from gglib_desktop.ports.models.model_repository import ModelFiles, ScannedFiles

COMPANION = WHY_NOT_STARTED[Sidecar.PROJECTOR]


def at_or_below(changed: Collection[Path]) -> Callable[[Model], bool]:
    """Whether a model's path is one of these or lies below one."""
    paths = {os.fspath(path) for path in changed}

    def lies_there(model: Model) -> bool:
        path, last = os.fspath(model.path), ""
        while path != last:
            if path in paths:
                return True
            path, last = os.path.dirname(path), path
        return False

    return lies_there


@dataclass(frozen=True)
class Elsewhere:
    """The folders of another place, and what looks at its files. The folders may begin with ``~/``."""

    place: str
    files: ScannedFiles
    folders: tuple[str, ...]


@dataclass
class ScanBatch:
    """The result of one batch of a scan: what to save, and the progress."""

    entries: list[tuple[int | None, ModelFile]] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    companions: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    adapters: dict[Path, StoredAdapters] = field(default_factory=dict)
    progress: ScanProgress = field(default_factory=ScanProgress)
    done: bool = False


class ModelIndex:
    """The models of one place by the keys that a scan uses.

    Making it takes milliseconds for thousands: do so in a thread.
    """

    def __init__(self, models: Sequence[Model], place: str = OWN_PLACE) -> None:
        self.models = models
        self.by_path = {os.fspath(model.path): model for model in models if model.place == place}
        self.by_folder: dict[str, dict[str, Model]] = {}
        for path, model in self.by_path.items():
            folder, name = os.path.split(path)
            self.by_folder.setdefault(folder, {})[name] = model
        self.known = KnownFiles(
            (path, model.stamp) for path, model in self.by_path.items() if not model.missing and model.stamp is not None
        )
        """Files that need not be read again if they look as they did."""
        self.unusable: dict[str, dict[str, Model]] = {}
        """Files that are read again all the same: size and date do not show whether a file can be read."""
        for path, model in self.by_path.items():
            if model.problem is not None and not model.missing:
                folder, name = os.path.split(path)
                self.unusable.setdefault(folder, {})[name] = model

    @cached_property
    def by_identity(self) -> dict[tuple[int, str], list[Model]]:
        """Only new files are sought in it, and garbage.py would look through thousands of lists."""
        found: dict[tuple[int, str], list[Model]] = {}
        for model in self.by_path.values():
            if model.size_bytes is not None and model.header_hash is not None:
                found.setdefault((model.size_bytes, model.header_hash), []).append(model)
        return found


class Scan:
    """Compares what lies on the disks with the models of an index.

    Files that the user ``named`` are listed whatever they contain. Models in ``doubt`` that were not met are
    looked at too, to find out which are missing.
    """

    def __init__(
        self,
        files: ScannedFiles,
        request: WalkRequest,
        index: ModelIndex,
        *,
        named: bool = False,
        doubt: Callable[[Model], bool] | None = None,
    ) -> None:
        self._files = files
        self._steps = files.walk(request)
        self._known = request.known
        self._index = index
        self._named = {path.name for path in request.files} if named else set()
        self._doubt = doubt
        self._pending: deque[FoundModel] = deque()
        self._claimed: set[int] = set()
        self._progress = ScanProgress()
        self._stopped = False
        # Folders with names in them, and paths, of all models that exist.
        self._met: list[tuple[str, Sequence[str]]] = []
        self._met_paths: set[str] = set()

    def stop(self) -> None:
        """The current batch ends at the next file. May be called from any thread."""
        self._stopped = True

    def met(self) -> Iterator[str]:
        """The paths of all models that exist, in the order in which they were met."""
        for folder, names in self._met:
            yield from (os.path.join(folder, name) for name in names)

    def next_batch(self, limit_s: float) -> ScanBatch:
        """Works for about ``limit_s``. Blocks."""
        batch = ScanBatch()
        deadline = time.monotonic() + limit_s
        while not self._stopped:
            if self._pending:
                self._take(self._pending.popleft(), batch)
            elif not self._step(batch):
                batch.done = True
                break
            if time.monotonic() >= deadline:
                break
        if self._stopped or batch.done:
            batch.done = True
            # Here, in the thread: of thousands of files, forgetting takes as long as a stall that people notice.
            self._steps = iter(())
        batch.progress = self._progress
        return batch

    def _step(self, batch: ScanBatch) -> bool:
        step = next(self._steps, None)
        if step is None:
            if self._doubt is None:
                return False
            # Without models that were met at another place.
            rest = [model for model in self._not_met() if model.id not in self._claimed]
            files = tuple(model.path for model in rest if self._doubt(model))
            self._doubt = None
            self._steps = self._files.walk(WalkRequest(files=files, known=self._known))
            return True
        if step.same:
            self._met.append((step.folder, step.same))
        for path in step.unchanged:
            self._meet(path)
        self._read_again(step)
        self._pending.extend(step.found)
        batch.companions.update(step.companions)
        batch.adapters.update(step.adapters)
        seen = self._progress.files_seen + step.files_seen
        self._progress = ScanProgress(seen, self._progress.models_read, step.folder)
        return True

    def _read_again(self, step: WalkStep) -> None:
        """Looks again at unchanged files that could not be used."""
        unusable = self._index.unusable
        again = [model for name, model in unusable.get(step.folder, {}).items() if name in step.same]
        for path in step.unchanged:
            folder, name = os.path.split(path)
            if (model := unusable.get(folder, {}).get(name)) is not None:
                again.append(model)
        self._pending.extend(self._files.find(model.path, model.label) for model in again)

    def _meet(self, path: str) -> None:
        if path not in self._met_paths:
            self._met_paths.add(path)
            self._met.append(("", (path,)))

    def _not_met(self) -> Iterator[Model]:
        met = {folder: names for folder, names in self._met if folder}
        for folder, models in self._index.by_folder.items():
            for name in models.keys() - met.get(folder, ()):
                model = models[name]
                if os.fspath(model.path) not in self._met_paths:
                    yield model

    def _take(self, found: FoundModel, batch: ScanBatch) -> None:
        path = os.fspath(found.path)
        known = self._index.by_path.get(path)
        if known is None and not found.parts and not self._named:
            return  # it vanished meanwhile
        file = self._files.examine(found)
        self._progress = replace(self._progress, models_read=self._progress.models_read + 1)
        if file.is_companion and not file.missing:
            if known is None and found.path.name not in self._named:
                batch.passed_over.append(PassedOver(file.path, False, file.size_bytes, file.mtime_ns, file.label))
                return
            file = replace(file, problem=file.problem or COMPANION)
        self._meet(path)
        known = known or self._moved(file)
        if known is None:
            batch.entries.append((None, file))
            return
        if file.facts is None:
            # The facts of a file that is missing or broken now are still worth showing.
            file = replace(file, facts=known.facts)
        if file.missing:
            file = replace(
                file,
                size_bytes=known.size_bytes,
                mtime_ns=known.mtime_ns,
                header_hash=known.header_hash,
                parts=known.parts,
                label=known.label,
            )
        if any(getattr(known, name) != getattr(file, name) for name in ModelFile.__dataclass_fields__):
            batch.entries.append((known.id, file))

    def _moved(self, file: ModelFile) -> Model | None:
        """The model that this file was at another path, if it is not there any more."""
        if file.size_bytes is None or file.header_hash is None:
            return None
        for model in self._index.by_identity.get((file.size_bytes, file.header_hash), ()):
            if model.id not in self._claimed and not self._files.exists(model.path):
                self._claimed.add(model.id)
                return model
        return None


class Companions:
    """The files that scans have met and that are loaded together with a model: projectors, adapters and others."""

    def __init__(self, files: ModelFiles) -> None:
        self._files = files
        self._beside: dict[Path, PassedOver] = {}
        self._in_stores: dict[Path, tuple[Path, ...]] = {}
        self._adapters: dict[Path, StoredAdapters] = {}

    def projectors(self, model: Model) -> tuple[Path, ...]:
        """The vision projectors that belong to a model, the likeliest first."""
        return (*self._in_stores.get(model.path, ()), *companions_of(model.path, self._beside))

    def offered_with(self, model: Model, models: Iterable[Model]) -> tuple[Companion, ...]:
        """All that may be loaded together with a model. Some of the files are listed among ``models``."""
        others = (
            Companion(each.path, each.sidecar, each.facts.architecture)
            for each in models
            if each.place == model.place and each.sidecar is not None and each.facts is not None and not each.missing
        )
        architecture = model.facts.architecture if model.facts else None
        return (
            *map(Companion, self.projectors(model)),
            *(Companion(path, Sidecar.ADAPTER) for path in self._adapters.get(model.path, StoredAdapters()).some),
            *sidecars_of(model.path, architecture, others),
        )

    def adapters(self, model: Model) -> tuple[Path, ...]:
        """The adapters that are part of the model, as they were read last."""
        return self._adapters.get(model.path, StoredAdapters()).always

    async def read_adapters(self, model: Model) -> None:
        """Reads again what a model's store loads with it."""
        if model.label is not None:  # a store's own name for it
            self._adapters[model.path] = await asyncio.to_thread(self._files.adapters, model.path)

    def load(self, passed_over: Iterable[PassedOver]) -> None:
        """Replaces what is known by the files that earlier scans met."""
        self._beside = {file.path: file for file in passed_over if not file.removed}

    def note_stores(self, batch: ScanBatch) -> None:
        """Remembers what stores said in a batch of a scan."""
        self._in_stores.update(batch.companions)
        self._adapters.update(batch.adapters)

    def note_files(self, batch: ScanBatch) -> None:
        """Remembers the files in a batch of a scan, once they are saved."""
        self._beside.update((file.path, file) for file in batch.passed_over)

    async def forget_gone(self) -> None:
        beside = tuple(self._beside)
        exist = await asyncio.to_thread(lambda: [self._files.exists(path) for path in beside])
        for path, there in zip(beside, exist, strict=True):
            if not there:
                self._beside.pop(path, None)
