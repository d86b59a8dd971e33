"""The port where the library keeps its models, and the one that finds, reads and makes model files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.companions import StoredAdapters
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver
from gglib_desktop.domain.models.scan import FoundModel, WalkRequest, WalkStep


class ModelRepository(Protocol):
    """Stores models and what was chosen for each. Every method raises LibraryError when the storage fails.

    Each call is kept as a whole or not at all, whatever happens to the program.
    """

    async def models(self) -> Sequence[Model]:
        """All models in the order in which they were added; ``name`` is not set."""
        ...

    async def save(
        self, entries: Sequence[tuple[int | None, ModelFile]], passed_over: Sequence[PassedOver] = ()
    ) -> Sequence[Model]:
        """The models as they now are. A number names the model that changes, also its path; None: the one at the path.

        A model that moves takes the place of one that is there and about which nothing was said; else it does not move.
        A model at a path that it does not have is added; ids, dates of adding and what was chosen stay. ``passed_over``
        notes files that are not to be listed; saving a model at such a path forgets that.
        """
        ...

    async def remove(self, model_id: int) -> None:
        """Takes a model off the list; its file stays, and is passed over from now on.

        It comes back as it was, with its number and what was chosen for it, when it is brought back or added again.
        """
        ...

    async def bring_back(self, path: Path) -> Model | None:
        """Lists a model again that was taken off; None for one of which nothing but its path is known."""
        ...

    async def removed(self) -> Sequence[Model]:
        """The models that were taken off the list and of which more than the path is known; ``name`` is not set."""
        ...

    async def passed_over(self) -> Sequence[PassedOver]:
        """The files that are not listed."""
        ...

    async def folders(self) -> Sequence[Path]:
        """The folders that are looked through at each scan, in the order in which they were added."""
        ...

    async def add_folder(self, path: Path) -> None: ...

    async def remove_folder(self, path: Path) -> None:
        """Forgets the folder, also that it is paused."""
        ...

    async def paused_folders(self) -> Sequence[Path]:
        """The folders and stores that are not looked through for now."""
        ...

    async def pause_folder(self, path: Path, paused: bool) -> None: ...

    async def note_used(self, model_id: int, when: float) -> None:
        """A server of the model was started at ``when``, in unix seconds."""
        ...

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        """Keeps the user's own words about a model. LibraryError also when there is no such model any more."""
        ...

    async def launch_options(self, model_id: int) -> LaunchOptions:
        """What was chosen last for starting this model, else the defaults."""
        ...

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None: ...


class ModelFiles(Protocol):
    """Model files on disk. The methods block: services call them in a thread."""

    def stores(self) -> Sequence[Path]:
        """Folders where other programs of this computer keep models, under their real names; never written."""
        ...

    def split(self, paths: Sequence[Path]) -> tuple[Sequence[Path], Sequence[Path]]:
        """The folders among ``paths`` under their real names, and everything else."""
        ...

    def touched(self, changed: Collection[Path], places: Sequence[Path]) -> WalkRequest:
        """Where to look for models when ``changed`` came, went or changed in ``places``; no stamps."""
        ...

    def walk(self, request: WalkRequest) -> Iterator[WalkStep]:
        """Looks at every place of the request, a folder at a time."""
        ...

    def find(self, path: Path, label: str | None = None) -> FoundModel:
        """What there is of the model at a path now: all its parts, and which are missing."""
        ...

    def adapters(self, path: Path) -> StoredAdapters:
        """What the store in which a model's file lies says is loaded with it."""
        ...

    def examine(self, found: FoundModel) -> ModelFile:
        """Reads a file's header. A file that cannot be used has the reason in ``problem``."""
        ...

    def exists(self, path: Path) -> bool: ...

    def write_demo(self) -> Path:
        """Makes the demo model if it is not there yet. Raises: LibraryError."""
        ...
