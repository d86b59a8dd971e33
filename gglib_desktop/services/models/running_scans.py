"""The scans that the user waits for: their progress, and how to stop them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.services.events import EventSource
from gglib_desktop.services.models.scanning import ModelIndex, Scan


class RunningScans:
    """``progress`` is None while no scan runs."""

    def __init__(self) -> None:
        self.progress: ScanProgress | None = None
        self._events: EventSource[ScanProgress | None] = EventSource()
        self.subscribe = self._events.add
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
