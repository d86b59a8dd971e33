"""The folders that are looked through for models, and the models that were taken off the list."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from gglib_desktop.services.library import Library
from gglib_desktop.tasks import TaskScope
from gglib_desktop.viewmodels.commands import reported


@dataclass(frozen=True)
class FoldersState:
    """Both in the order in which they are shown."""

    folders: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()


class ModelFoldersViewModel(QObject):
    """What is done here counts at once."""

    stateChanged = Signal(object)  # FoldersState
    failed = Signal(object)  # GglibError

    def __init__(self, library: Library, scope: TaskScope) -> None:
        super().__init__()
        self._library, self._scope = library, scope
        self.state = FoldersState()

    def look(self) -> None:
        self._run(self._look(), "list model folders")

    def remove_folder(self, folder: Path) -> None:
        """Looks there no more; the models that were found there stay listed."""
        self._run(self._then_look(self._library.remove_folder(folder)), "remove model folder")

    def bring_back(self, path: Path) -> None:
        self._run(self._then_look(self._library.bring_back(path)), "bring back model")

    async def _then_look(self, action: Coroutine[Any, Any, object]) -> None:
        await action
        await self._look()

    async def _look(self) -> None:
        self.state = FoldersState(tuple(await self._library.folders()), tuple(await self._library.removed()))
        self.stateChanged.emit(self.state)

    def _run(self, coroutine: Coroutine[Any, Any, object], name: str) -> None:
        self._scope.start(reported(coroutine, self.failed), name=name)
