"""What is known of the files that could draft for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.errors import InvalidModelFile
from gglib_desktop.domain.gguf.sidecars import Sidecar
from gglib_desktop.domain.models.draft_files import DraftFile, draft_file
from gglib_desktop.domain.models.model import Model
from gglib_desktop.domain.servers.server import ServerConfig
from gglib_desktop.services.models.library import Library

# A draft model pays only if it is much faster than its model.
_LARGEST_PART = 0.5
# Each costs two vocabularies to read.
_MOST_COMPARED = 8


class DraftFiles:
    """Remembers what it has read, for as long as the program runs.

    ``drafting_obstacle`` tells why the second model cannot draft for the first, and blocks.
    """

    def __init__(self, library: Library, drafting_obstacle: Callable[[Path, Path], str | None]) -> None:
        self._library, self._obstacle = library, drafting_obstacle
        self._known: dict[tuple[Path, Path], DraftFile] = {}
        self._offered: dict[Path, tuple[DraftFile, ...]] = {}

    def known(self, model: Model, path: Path) -> DraftFile | None:
        """As it was read last."""
        return self._known.get((model.path, path))

    async def look_at(self, model: Model, path: Path) -> DraftFile:
        """Reads it again. Its problem says why it cannot draft for the model."""
        found = self._known[model.path, path] = await self._read(model, path)
        return found

    async def size_of(self, config: ServerConfig) -> int:
        """Of the file that drafts for a server; 0: there is none, or it is not known."""
        if config.spec_draft_model is None or not config.spec_draft_n_max:
            return 0
        file = await self._library.examine(config.spec_draft_model)
        return file.facts.file_size_bytes if file.facts is not None else 0

    def offered(self, model: Model) -> tuple[DraftFile, ...]:
        """As they were found last."""
        return self._offered.get(model.path, ())

    async def find(self, model: Model) -> None:
        """Finds those in the library that can draft for the model: its heads, then small models, the smallest first."""
        found = [await self.look_at(model, path) for path in self._candidates(model)]
        self._offered[model.path] = tuple(each for each in found if each.problem is None)

    def _candidates(self, model: Model) -> Iterator[Path]:
        models = self._library.models
        for companion in self._library.companions.offered_with(model, models):
            if companion.kind is Sidecar.DRAFT_HEAD:
                yield companion.path
        small = sorted((_size(each), each.path) for each in models if _may_draft(each, model))
        yield from (path for _size, path in small[:_MOST_COMPARED])

    async def _read(self, model: Model, path: Path) -> DraftFile:
        file = await self._library.examine(path)
        if file.facts is None:
            return DraftFile(path, problem=file.problem)
        found = draft_file(path, file.facts, model.facts.architecture if model.facts else None)
        if found.is_head or found.problem is not None:
            return found
        if file.problem is not None:
            return replace(found, problem=file.problem)
        try:
            return replace(found, problem=await asyncio.to_thread(self._obstacle, model.path, path))
        except InvalidModelFile as exc:
            return replace(found, problem=exc.reason)


def _size(model: Model) -> int:
    return model.facts.file_size_bytes if model.facts is not None else 0


def _may_draft(other: Model, model: Model) -> bool:
    """Before the vocabularies are compared: a small model beside this one, or of the same family."""
    ours, theirs = model.facts, other.facts
    if ours is None or theirs is None or other.sidecar is not None or other.problem is not None or other.missing:
        return False
    is_related = theirs.architecture == ours.architecture or other.path.parent == model.path.parent
    is_small = _size(other) <= _LARGEST_PART * _size(model)
    return other.place == model.place and is_related and is_small and theirs.tokenizer == ours.tokenizer
