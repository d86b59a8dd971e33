"""The port where the library keeps its models, and the one that reads and makes model files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.gguf import ModelFacts
from gglib_desktop.domain.launch import LaunchOptions
from gglib_desktop.domain.model import Model


class ModelRepository(Protocol):
    """Stores models and what was chosen for each. Every method raises LibraryError when the storage fails."""

    async def models(self) -> Sequence[Model]:
        """All models in the order in which they were added; ``name`` is not set."""
        ...

    async def add(self, path: Path, facts: ModelFacts | None, problem: str | None) -> Model:
        """The model at ``path``, added or brought up to date; its id and date of adding stay."""
        ...

    async def remove(self, model_id: int) -> None:
        """Forgets a model and what was chosen for it; its file stays."""
        ...

    async def launch_options(self, model_id: int) -> LaunchOptions:
        """What was chosen last for starting this model, else the defaults."""
        ...

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None: ...


class ModelFiles(Protocol):
    """Model files on disk. The methods block: services call them in a thread."""

    def read_facts(self, path: Path) -> ModelFacts:
        """The facts in a file's header. Raises: InvalidModelFile."""
        ...

    def write_demo(self) -> Path:
        """Makes the demo model if it is not there yet. Raises: LibraryError."""
        ...
