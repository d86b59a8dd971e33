"""Files that are loaded together with a model: projectors, adapters and others that are not models themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.models.companions import Companion, StoredAdapters, companions_of, sidecars_of
from gglib_desktop.domain.models.model import Model, PassedOver
from gglib_desktop.ports.models.model_repository import ModelFiles
from gglib_desktop.services.models.scanning import ScanBatch


class Companions:
    """Knows the files that scans have met."""

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
            if each.sidecar is not None and each.facts is not None and not each.missing
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
