"""Asks for the options of one start of a model."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.viewmodels.launch.launch_forms import StartFormViewModel
from gglib_desktop.views.launch.dialog import LaunchFormDialog
from gglib_desktop.views.widgets.labels.wrap import WrapLabel


class StartWithDialog(LaunchFormDialog):
    """Accepting it starts the model."""

    def __init__(self, start: StartFormViewModel, parent: QWidget | None = None) -> None:
        name = start.model.name
        text = self.tr("Start another") if start.runs else self.tr("Start")
        super().__init__(start, "startWith", "startWithStart", text, parent)
        self._usual, self._doubtful = text, self.tr("Start another anyway") if start.runs else self.tr("Start anyway")
        start.form.stateChanged.connect(self._name_start)
        self._name_start(start.form.state)
        self.setWindowTitle(self.tr("Start {model} with…").format(model=name))
        if start.runs:
            text = self.tr("{model} runs already. This starts another server.").format(model=name)
            self.add_above(WrapLabel(text))
        remember = QCheckBox(self.tr("Remember for this model"))
        remember.setObjectName("startWithRemember")
        remember.setAccessibleName(remember.text())
        remember.setToolTip(self.tr("Saves what is set here as the model's defaults"))
        remember.toggled.connect(start.set_remember)
        self.add_below(remember)

    @Slot(object)
    def _name_start(self, state: FormState) -> None:
        """The button says if a start would probably fail; the field says why."""
        text = self._doubtful if state.is_doubtful else self._usual
        self._accept.setText(text)
        self._accept.setAccessibleName(text)
