"""Edits the options that a model starts with unless a launch says otherwise."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gglib_desktop.viewmodels.launch.launch_forms import LaunchFormDialogViewModel
from gglib_desktop.views.launch.dialog import LaunchFormDialog


class ModelDefaultsDialog(LaunchFormDialog):
    """Accepting it saves the defaults."""

    def __init__(self, defaults: LaunchFormDialogViewModel, parent: QWidget | None = None) -> None:
        super().__init__(defaults, "modelDefaults", "modelDefaultsSave", self.tr("Save"), parent)
        self.setWindowTitle(self.tr("Launch defaults of {model}").format(model=defaults.model.name))
