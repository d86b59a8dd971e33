"""Changes of the list of models: adding, scanning, removing, and the demo model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from gglib_desktop.domain.errors import LibrarySetAside, ModelInUse
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.models.scan import ScanProgress
from gglib_desktop.services.models.library import Library
from gglib_desktop.services.servers.supervisor import Supervisor
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel
from gglib_desktop.viewmodels.models.model_list import ModelListViewModel

if TYPE_CHECKING:
    from gglib_desktop.viewmodels.models.model_details import ModelDetailsViewModel


class LibraryViewModel(ViewModel):
    """Changes the library; ``models`` shows its content, and selects what the user asked for."""

    added = Signal(int)  # how many models
    scanned = Signal(int)  # how many models were new
    removed = Signal(object)  # Model
    progressChanged = Signal(object)  # ScanProgress, None when nothing is looked for

    def __init__(
        self,
        library: Library,
        supervisor: Supervisor,
        scope: TaskScope,
        details: Callable[[Model], ModelDetailsViewModel],
        place_name: Callable[[str], str],
    ) -> None:
        """``place_name`` as in ModelListViewModel."""
        super().__init__(scope)
        self._library = library
        self._supervisor = supervisor
        self._details = details
        self._scan_wanted = False
        self.models = ModelListViewModel(library, supervisor, scope, place_name)
        self.create_demo = self.command(self._create_demo, "create demo model")
        self.scan = self.command(self._scan, "scan")
        library.scans.subscribe(self.progressChanged.emit)

    @property
    def progress(self) -> ScanProgress | None:
        return self._library.scans.progress

    def add(self, paths: Iterable[Path]) -> None:
        """Adds model files and folders, and selects the first model of them."""
        self.run(self.add_now(tuple(paths)), "add models")

    async def add_now(self, paths: tuple[Path, ...]) -> None:
        """Like ``add``, for callers that wait for it. Raises: LibraryError."""
        before = {model.id for model in self._library.models}
        added = await self._library.add(paths)
        if added:
            self.models.request(added[0].id)
        if new := {model.id for model in added} - before:
            self.added.emit(len(new))

    def scan_again(self) -> None:
        """Scans because the user wants to know; a running scan will report too."""
        self._scan_wanted = True
        self.scan.trigger()

    def stop_scan(self) -> None:
        """Ends scanning; models that were found stay."""
        self._scan_wanted = False
        self._library.scans.stop()

    def remove(self, model_id: int) -> None:
        """Removes a model from the list. Refused while its server lives, whose panel could not be restarted."""
        self.run(self._remove(model_id), "remove model")

    def bring_back(self, path: Path) -> None:
        """Lists a removed model again, and selects it."""
        self.run(self._bring_back(path), "bring back model")

    def details(self, model_id: int) -> ModelDetailsViewModel | None:
        """The content of the details dialog; None if the model is gone."""
        model = self._library.model(model_id)
        return self._details(model) if model is not None else None

    async def load(self) -> None:
        """Lists the library's content. An unreadable library is set aside, which ``failed`` reports."""
        try:
            await self._library.load()
        except LibrarySetAside as exc:
            self.failed.emit(exc)
            await self._library.load()

    async def _scan(self) -> None:
        before = {model.id for model in self._library.models}
        try:
            await self._library.scan()
        finally:
            wanted, self._scan_wanted = self._scan_wanted, False
        new = sum(model.id not in before for model in self._library.models)
        if wanted or new:
            self.scanned.emit(new)

    async def _remove(self, model_id: int) -> None:
        model = self._library.model(model_id)
        if model is None:
            return
        if self._supervisor.has_live_server(model_id):
            raise ModelInUse(model.name)
        await self._library.remove(model_id)
        self.removed.emit(model)

    async def _bring_back(self, path: Path) -> None:
        model = await self._library.bring_back(path)
        if model is not None:
            self.models.request(model.id)

    async def _create_demo(self) -> None:
        model = await self._library.create_demo()
        if model is not None:
            self.models.request(model.id)
