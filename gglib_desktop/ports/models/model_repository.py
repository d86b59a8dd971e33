"""The ports that keep the library's models, and that find, read and make model files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.models.companions import StoredAdapters
from gglib_desktop.domain.models.model import Model, ModelFile, PassedOver
from gglib_desktop.domain.models.scan import FoundModel, WalkRequest, WalkStep
from gglib_desktop.domain.servers.server import OWN_PLACE


class ModelRepository(Protocol):
    """Stores models and the options chosen for each. Every method raises LibraryError if the storage fails.

    Each call is one transaction, whatever happens to the program.
    """

    async def models(self) -> Sequence[Model]:
        """All models in the order in which they were added; ``name`` is not set."""

    async def save(
        self,
        entries: Sequence[tuple[int | None, ModelFile]],
        passed_over: Sequence[PassedOver] = (),
        *,
        place: str = OWN_PLACE,
    ) -> Sequence[Model]:
        """Saves files and returns the models. A number names the model that changes, its path included; None: by path.

        A model that moves replaces one at the new path that the user has not touched; otherwise it does not move.
        A file with None at an unknown path of the ``place`` is added. Ids, dates of adding and chosen options stay.
        ``passed_over`` are files that are not to be listed; saving a model at such a path undoes that.
        """

    async def remove(self, model_id: int) -> None:
        """Removes a model from the list; its file stays, and is passed over from now on.

        When it is brought back or added again, its number and its options are as before.
        """

    async def bring_back(self, path: Path) -> Model | None:
        """Lists a removed model of this computer again; None if only its path is known."""

    async def removed(self) -> Sequence[Model]:
        """The removed models of which more than the path is known; ``name`` is not set."""

    async def passed_over(self) -> Sequence[PassedOver]:
        """The files that are not listed."""

    async def folders(self) -> Sequence[Path]:
        """The folders that each scan looks through, in the order in which they were added."""

    async def add_folder(self, path: Path) -> None: ...

    async def remove_folder(self, path: Path) -> None:
        """Forgets the folder, and that it was paused."""

    async def paused_folders(self) -> Sequence[Path]:
        """The folders and stores that scans do not look through for now."""

    async def pause_folder(self, path: Path, paused: bool) -> None: ...

    async def note_used(self, model_id: int, when: float) -> None:
        """A server of the model was started at ``when``, in unix seconds."""

    async def describe(self, model_id: int, tags: Sequence[str], notes: str) -> None:
        """Keeps the user's own words about a model. Raises LibraryError also if the model does not exist any more."""

    async def launch_options(self, model_id: int) -> LaunchOptions:
        """The options of the last start of this model, else the defaults."""

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None: ...


class ScannedFiles(Protocol):
    """Model files as a scan looks at them. The methods block: services call them in a thread."""

    def walk(self, request: WalkRequest) -> Iterator[WalkStep]:
        """Looks at every place of the request, a folder at a time."""

    def find(self, path: Path, label: str | None = None) -> FoundModel:
        """The model's files at a path now: all its parts, and which are missing."""

    def examine(self, found: FoundModel) -> ModelFile:
        """Reads a file's header. If the file cannot be used, ``problem`` is the reason."""

    def exists(self, path: Path) -> bool: ...


class ModelFiles(ScannedFiles, Protocol):
    """Model files on this computer's disks. The methods block, too."""

    def stores(self) -> Sequence[Path]:
        """Folders where other programs on this computer keep models, by their real paths; never written."""

    def split(self, paths: Sequence[Path]) -> tuple[Sequence[Path], Sequence[Path]]:
        """The folders among ``paths`` by their real paths, and everything else."""

    def touched(self, changed: Collection[Path], places: Sequence[Path]) -> WalkRequest:
        """Where to look for models after ``changed`` appeared, vanished or changed in ``places``; no stamps."""

    def adapters(self, path: Path) -> StoredAdapters:
        """The adapters in the record of the store that holds a model's file."""

    def write_demo(self) -> Path:
        """Makes the demo model if it is not there yet. Raises: LibraryError."""
