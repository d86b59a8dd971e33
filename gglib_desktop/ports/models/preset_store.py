"""The ports where presets are kept, and through which they travel as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.documents.preset_file import FiledPreset, PresetReading
from gglib_desktop.domain.launch.presets import Preset


class PresetStore(Protocol):
    """Keeps presets. Every method raises LibraryError when the storage fails, and is kept as a whole or not at all."""

    async def presets(self, model_id: int | None) -> Sequence[Preset]:
        """Those for all models, and those of this one; in no order. What another version stored is passed over."""
        ...

    async def save(self, presets: Sequence[Preset]) -> Sequence[Preset]:
        """Stores them and gives them with their ids; one that has an id takes the place of what it was."""
        ...

    async def delete(self, preset_id: int) -> None: ...

    async def last_used(self, model_id: int) -> int | None:
        """The id of the preset with which the model was started last; maybe of one that is gone."""
        ...

    async def note_used(self, model_id: int, preset_id: int | None) -> None:
        """The model was started with that preset, or with none."""
        ...


class PresetFiles(Protocol):
    """Files of presets. The methods block: services call them in a thread."""

    def read(self, path: Path) -> PresetReading:
        """Raises: PresetFileError when there is nothing to be read at all."""
        ...

    def write(self, path: Path, presets: Sequence[FiledPreset]) -> None:
        """Writes the whole file or leaves what is there. Raises: PresetFileError."""
        ...
