"""The ports that keep presets, and that read and write them as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gglib_desktop.domain.documents.preset_file import FiledPreset, PresetReading
from gglib_desktop.domain.launch.presets import Preset


class PresetStore(Protocol):
    """Keeps presets. Every method is one transaction, and raises LibraryError if the storage fails."""

    async def presets(self, model_id: int | None) -> Sequence[Preset]:
        """The presets for all models and for this one, unordered, without unreadable ones of other versions."""

    async def save(self, presets: Sequence[Preset]) -> Sequence[Preset]:
        """Stores them and returns them with their ids; one with an id replaces its former version."""

    async def delete(self, preset_id: int) -> None: ...

    async def last_used(self, model_id: int) -> int | None:
        """The id of the preset that the model was last started with; the preset may be gone."""

    async def note_used(self, model_id: int, preset_id: int | None) -> None:
        """The model was started with that preset, or with none."""


class PresetFiles(Protocol):
    """Files of presets. The methods block: services call them in a thread."""

    def read(self, path: Path) -> PresetReading:
        """Raises: PresetFileError if nothing can be read."""

    def write(self, path: Path, presets: Sequence[FiledPreset]) -> None:
        """Writes the whole file or leaves what is there. Raises: PresetFileError."""
