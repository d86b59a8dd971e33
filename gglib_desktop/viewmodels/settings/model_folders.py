"""The folders that scans look through, and the models that were removed from the list."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal

from gglib_desktop.services.models.library import Library
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import ViewModel


@dataclass(frozen=True)
class ModelFolder:
    """``is_store``: another program keeps its models there; the user did not add it, so it cannot be removed."""

    path: Path
    paused: bool = False
    is_store: bool = False


@dataclass(frozen=True)
class FoldersState:
    """Both in the order in which they are shown."""

    folders: tuple[ModelFolder, ...] = ()
    removed: tuple[Path, ...] = ()


class ModelFoldersViewModel(ViewModel):
    """Every action takes effect at once."""

    stateChanged = Signal(object)  # FoldersState

    def __init__(self, library: Library, scope: TaskScope) -> None:
        super().__init__(scope)
        self._library = library
        self.state = FoldersState()

    def look(self) -> None:
        self.run(self._look(), "list model folders")

    def remove_folder(self, folder: ModelFolder) -> None:
        """Scans skip the folder from now on; its models stay listed."""
        self.run(self._then_look(self._library.folders.remove(folder.path)), "remove model folder")

    def pause_folder(self, folder: ModelFolder) -> None:
        """Scans skip the folder until it is resumed; its models stay listed."""
        self.run(self._then_look(self._library.folders.pause(folder.path, True)), "pause model folder")

    def resume_folder(self, folder: ModelFolder) -> None:
        self.run(self._resume(folder.path), "resume model folder")

    def bring_back(self, path: Path) -> None:
        self.run(self._then_look(self._library.bring_back(path)), "bring back model")

    async def _then_look(self, action: Coroutine[Any, Any, object]) -> None:
        await action
        await self._look()

    async def _resume(self, folder: Path) -> None:
        await self._then_look(self._library.folders.pause(folder, False))
        await self._library.look_at([folder])

    async def _look(self) -> None:
        added, paused = tuple(await self._library.folders.added()), self._library.folders.paused
        stores = (place for place in self._library.folders.places if place not in added)
        folders = (
            *(ModelFolder(path, path in paused) for path in added),
            *(ModelFolder(path, path in paused, is_store=True) for path in stores),
        )
        self.state = FoldersState(folders, tuple(await self._library.removed()))
        self.stateChanged.emit(self.state)
