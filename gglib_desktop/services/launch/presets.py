"""Presets: making, changing and choosing them, and carrying them from one computer to another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gglib_desktop.domain.documents.preset_file import FiledPreset, ImportedPresets
from gglib_desktop.domain.errors import PresetFileError
from gglib_desktop.domain.launch.options import LaunchOptions
from gglib_desktop.domain.launch.presets import Preset, check_is_free, free_name, preset_name
from gglib_desktop.ports.models.preset_store import PresetFiles, PresetStore


class Presets:
    """The presets of all models. Every method raises LibraryError if the storage fails."""

    def __init__(self, store: PresetStore, files: PresetFiles) -> None:
        self._store = store
        self._files = files

    async def listed(self, model_id: int | None) -> tuple[Preset, ...]:
        """Those of a model, then those for all models, each sorted by name."""
        found = await self._store.presets(model_id)
        return tuple(sorted(found, key=lambda each: (each.model_id is None, each.name.casefold(), each.name)))

    async def create(self, name: str, options: LaunchOptions, model_id: int | None) -> Preset:
        """Raises: ConfigurationError for ``preset_name``, or for ``extra_args`` if they hold a key."""
        preset = Preset(name, options, model_id)
        check_is_free(preset.name, [each.name for each in await self._beside(preset)])
        (saved,) = await self._store.save([preset])
        return saved

    async def update(self, preset: Preset, options: LaunchOptions) -> Preset:
        """Raises: ConfigurationError for ``extra_args`` if they hold a key."""
        (saved,) = await self._store.save([replace(preset, options=options)])
        return saved

    async def rename(self, preset: Preset, name: str) -> Preset:
        """Raises: ConfigurationError for ``preset_name``."""
        name = preset_name(name)
        check_is_free(name, [each.name for each in await self._beside(preset)])
        (saved,) = await self._store.save([replace(preset, name=name)])
        return saved

    async def delete(self, preset: Preset) -> None:
        assert preset.id is not None
        await self._store.delete(preset.id)

    async def last_used(self, model_id: int) -> Preset | None:
        """The preset that the model was last started with, if it still exists."""
        preset_id = await self._store.last_used(model_id)
        return next((each for each in await self._store.presets(model_id) if each.id == preset_id), None)

    async def note_used(self, model_id: int, preset: Preset | None) -> None:
        """The model was started with that preset, or with none."""
        await self._store.note_used(model_id, None if preset is None else preset.id)

    async def export(self, path: Path, presets: Sequence[Preset], model_name: str | None) -> None:
        """``model_name`` is the name of the presets' model. Raises: PresetFileError."""
        filed = [FiledPreset(each.name, each.options, model_name if each.model_id else None) for each in presets]
        await asyncio.to_thread(self._files.write, path, filed)

    async def import_from(self, path: Path, model_id: int | None) -> ImportedPresets:
        """Adds the presets in a file; those made for one model become those of ``model_id``.

        Existing presets stay as they are; a preset whose name is taken by another one gets a number. Raises:
        PresetFileError, and then nothing was added.
        """
        reading = await asyncio.to_thread(self._files.read, path)
        if reading.problems:
            raise PresetFileError(path, reading.problems)
        there = list(await self._store.presets(model_id))
        new: list[Preset] = []
        same: list[str] = []
        for filed in reading.presets:
            scope = model_id if filed.model is not None else None
            beside = [each for each in (*there, *new) if each.model_id == scope]
            if any((each.name, each.options) == (filed.name, filed.options) for each in beside):
                same.append(filed.name)
            else:
                new.append(Preset(free_name(filed.name, [each.name for each in beside]), filed.options, scope))
        return ImportedPresets(tuple(await self._store.save(new)), tuple(same), reading.unknown)

    async def _beside(self, preset: Preset) -> list[Preset]:
        """The other presets of the same scope."""
        found = await self._store.presets(preset.model_id)
        return [each for each in found if each.model_id == preset.model_id and each.id != preset.id]
