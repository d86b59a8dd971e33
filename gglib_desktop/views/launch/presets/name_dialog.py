"""Asks for a preset's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.presets import LONGEST_NAME
from gglib_desktop.domain.models.model import Model
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error

_CHARACTERS = 44


class PresetNameDialog(QDialog):
    """Closes once the name has been accepted; until then it says why not."""

    def __init__(
        self,
        title: str,
        commit: Callable[[str, bool], Awaitable[None]],
        run: Callable[[Coroutine[Any, Any, object], str], None],
        parent: QWidget | None = None,
        *,
        name: str = "",
        model: Model | None = None,
    ) -> None:
        """``commit`` takes the name and whether it is for all models; it raises GglibError if it cannot.

        With a ``model`` the user can choose whether the preset is only for it. ``run`` runs coroutines.
        """
        super().__init__(parent)
        self._commit, self._run = commit, run
        self._is_busy = False
        self.setObjectName("presetNameDialog")
        self.setWindowTitle(title)
        self._name = self._name_line(name)
        self._problem = WrapLabel()
        self._problem.setObjectName("presetNameProblem")
        self._problem.hide()
        rows = QFormLayout()
        rows.addRow(self.tr("&Name:"), self._name)
        self._for_all: QRadioButton | None = None
        if model is not None:
            for_model = self._radio("presetForModel", self.tr("Only {model}").format(model=model.name))
            for_model.setChecked(True)
            self._for_all = self._radio("presetForAll", self.tr("All models"))
            rows.addRow(self.tr("For:"), for_model)
            rows.addRow("", self._for_all)
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.addLayout(rows)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons())

    def _name_line(self, name: str) -> QLineEdit:
        line = QLineEdit(name, self)
        line.setObjectName("presetName")
        line.setAccessibleName(self.tr("Name"))
        line.setMaxLength(LONGEST_NAME)
        line.setMinimumWidth(line.fontMetrics().averageCharWidth() * _CHARACTERS)
        line.selectAll()
        line.setFocus()
        line.textChanged.connect(self._on_edited)
        return line

    def _radio(self, name: str, text: str) -> QRadioButton:
        button = QRadioButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        return button

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._save = box_button(box, "presetNameSave", self.tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._save.setDefault(True)
        self._save.setEnabled(bool(self._name.text().strip()))
        # Not the box's accepted signal: the dialog closes when the name has been accepted.
        self._save.clicked.connect(self._on_save)
        box_button(box, "presetNameCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        return box

    @Slot(str)
    def _on_edited(self, text: str) -> None:
        self._save.setEnabled(bool(text.strip()))
        self._problem.hide()

    @Slot()
    def _on_save(self) -> None:
        if not self._is_busy:
            self._is_busy = True
            self._run(self._take_name(), "take the preset's name")

    async def _take_name(self) -> None:
        try:
            for_all = self._for_all is not None and self._for_all.isChecked()
            await self._commit(self._name.text(), for_all)
        except GglibError as exc:
            if isValid(self):
                words = words_for_error(exc)
                self._problem.setText(f"{words.summary} {words.hint}".strip())
                self._problem.show()
        else:
            if isValid(self):
                self.accept()
        finally:
            self._is_busy = False
