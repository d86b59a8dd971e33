"""The files that can draft for a model, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.domain.models.draft_files import DraftFile
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.launch.option_rows import DRAFT_MODEL
from gglib_desktop.views.words.options import draft_file_text


class DraftChoices(QWidget):
    """A check box for each; the field above still takes any file."""

    filled = Signal()

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._boxes: dict[Path, QCheckBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        form.stateChanged.connect(self._render)
        self._render(form.state)

    def _add(self, files: Sequence[DraftFile]) -> None:
        for number, file in enumerate(files, start=len(self._boxes) + 1):
            text = self.tr("{name}: {what}").format(name=file.path.name, what=draft_file_text(file))
            box = QCheckBox(text)
            box.setObjectName(f"draftFile{number}")
            box.setAccessibleName(text)
            # A long name must not widen the form.
            box.setMinimumWidth(1)
            box.setToolTip(f"{text}\n{file.path}")
            box.toggled.connect(partial(self._choose, file))
            self._boxes[file.path] = box
            self._layout.addWidget(box)

    def _choose(self, file: DraftFile, chosen: bool) -> None:
        self._form.use_draft_file(file if chosen else None)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        added = [file for file in state.drafting.offered if file.path not in self._boxes]
        if added:
            self._add(added)
            self.filled.emit()
        for path, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(path == state.fields[DRAFT_MODEL].value)
