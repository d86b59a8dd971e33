"""Where models come from: folders that the user added, and stores of other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gglib_desktop.ports.models.model_repository import ModelRepository


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
