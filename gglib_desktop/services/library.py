"""The models that the user has, where they are on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.errors import InvalidModelFile, LibraryError
from gglib_desktop.domain.gguf import ModelFacts
from gglib_desktop.domain.launch import LaunchOptions
from gglib_desktop.domain.model import Model, with_unique_names
from gglib_desktop.domain.restart import RestartPolicy
from gglib_desktop.ports.model_repository import ModelFiles, ModelRepository
from gglib_desktop.services.listeners import Listeners

_log = logging.getLogger(__name__)


class Library:
    """The list of models, each with the facts of its file or the reason why it cannot be used."""

    def __init__(self, repository: ModelRepository, files: ModelFiles) -> None:
        self._repository = repository
        self._files = files
        self._listeners: Listeners[Sequence[Model]] = Listeners()
        self.subscribe = self._listeners.add
        self.models: tuple[Model, ...] = ()

    def model(self, model_id: int) -> Model | None:
        return next((model for model in self.models if model.id == model_id), None)

    async def load(self) -> None:
        """Lists what is stored, then looks at every file again. Raises: LibraryError."""
        self._show(await self._repository.models())
        for model in self.models:
            facts, problem = await self._examine(model.path)
            if (facts or model.facts, problem) != (model.facts, model.problem):
                # Facts of a file that is gone for now are still worth showing.
                await self._repository.add(model.path, facts or model.facts, problem)
        self._show(await self._repository.models())

    async def add(self, paths: Iterable[Path]) -> tuple[Model, ...]:
        """Adds files, and the GGUF files anywhere below folders. Returns them in order. Raises: LibraryError.

        A file that cannot be used is listed with the reason.
        """
        ids = []
        for path in await asyncio.to_thread(_model_paths, tuple(paths)):
            facts, problem = await self._examine(path)
            ids.append((await self._repository.add(path, facts, problem)).id)
        self._show(await self._repository.models())
        return tuple(model for model_id in ids if (model := self.model(model_id)) is not None)

    async def remove(self, model_id: int) -> None:
        """Takes a model off the list; its file stays. Raises: LibraryError."""
        await self._repository.remove(model_id)
        self._show(await self._repository.models())

    async def create_demo(self) -> Model:
        """Makes the demo model and adds it. Raises: LibraryError."""
        (model,) = await self.add([await asyncio.to_thread(self._files.write_demo)])
        return model

    async def launch_options(self, model_id: int) -> LaunchOptions:
        return await self._repository.launch_options(model_id)

    async def model_problem(self, path: Path) -> str | None:
        """What is wrong with a model file, as its header and its length tell; None when nothing is."""
        return (await self._examine(path))[1]

    async def restart_policy(self, model_id: int) -> RestartPolicy:
        """What the user wants when this model's server crashes; NEVER when that cannot be read."""
        try:
            return (await self._repository.launch_options(model_id)).restart
        except LibraryError as exc:
            _log.warning("%s", exc)
            return RestartPolicy.NEVER

    async def save_launch_options(self, model_id: int, options: LaunchOptions) -> None:
        """Raises: LibraryError."""
        await self._repository.save_launch_options(model_id, options)

    async def _examine(self, path: Path) -> tuple[ModelFacts | None, str | None]:
        try:
            return await asyncio.to_thread(self._files.read_facts, path), None
        except InvalidModelFile as exc:
            _log.info("%s", exc)
            return None, exc.reason

    def _show(self, models: Sequence[Model]) -> None:
        named = with_unique_names(replace(model, name="") for model in models)
        if named != self.models:
            self.models = named
            self._listeners.tell(named)


def _model_paths(paths: tuple[Path, ...]) -> list[Path]:
    """Real paths, each once: links to one file are one model. Blocks."""
    found: dict[Path, None] = {}
    for path in paths:
        real = path.expanduser().resolve()
        inside = sorted(real.rglob("*.gguf")) if real.is_dir() else [real]
        found.update(dict.fromkeys(one.resolve() for one in inside))
    return list(found)
