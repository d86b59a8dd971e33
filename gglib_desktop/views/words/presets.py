"""The texts about presets."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication

from gglib_desktop.domain.documents.preset_file import ImportedPresets
from gglib_desktop.domain.launch.presets import Preset
from gglib_desktop.domain.models.model import Model
from gglib_desktop.views.words.settings import unknown_text

translate = QCoreApplication.translate
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|\s]+')


def preset_text(preset: Preset, model: Model | None) -> str:
    """A preset in a list for ``model``, which has its own presets and those for all models."""
    if preset.model_id is None and model is not None:
        return translate("Presets", "{name} (all models)").format(name=preset.name)
    return preset.name


def deletion_text(preset: Preset) -> str:
    """The question before a preset is deleted."""
    return translate("Presets", "Delete the preset “{name}”? What is set in the form stays.").format(name=preset.name)


def file_name_for(name: str) -> str:
    """A file name that every system accepts."""
    return (_NOT_IN_FILE_NAMES.sub("-", name).strip("-. ") or "preset") + ".toml"


def imported_text(imported: ImportedPresets) -> str:
    """The result of an import."""
    parts = []
    if imported.added:
        names = ", ".join(each.name for each in imported.added)
        parts.append(translate("Presets", "Imported: {names}.").format(names=names))
    if imported.same:
        parts.append(translate("Presets", "There already: {names}.").format(names=", ".join(imported.same)))
    if imported.unknown:
        keys = "; ".join(map(unknown_text, imported.unknown))
        text = translate("Presets", "Left out, because this version does not know them: {keys}.")
        parts.append(text.format(keys=keys))
    return " ".join(parts)
