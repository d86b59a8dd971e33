"""The dialog that renames a place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error

_NAME_CHARACTERS = 40


class RenamePlaceDialog(QDialog):
    """Closes once the name is saved; until then it says why not."""

    def __init__(
        self,
        name: str,
        commit: Callable[[str], Awaitable[None]],
        run: Callable[[Coroutine[Any, Any, object], str], None],
        parent: QWidget | None = None,
    ) -> None:
        """``commit`` takes the new name and raises GglibError if it cannot; ``run`` runs coroutines."""
        super().__init__(parent)
        self._commit, self._run = commit, run
        self.setObjectName("renamePlaceDialog")
        self.setWindowTitle(self.tr("Rename place"))
        self._name = QLineEdit(name, self)
        self._name.setObjectName("placeNewName")
        self._name.setAccessibleName(self.tr("Name"))
        self._name.setMinimumWidth(self._name.fontMetrics().averageCharWidth() * _NAME_CHARACTERS)
        self._name.selectAll()
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("renamePlaceProblem")
        self._problem.hide()
        rows = QFormLayout()
        rows.addRow(self.tr("&Name:"), self._name)
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons())
        self._name.setFocus()

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._save = box_button(box, "renamePlaceSave", self.tr("Rename"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._save.setDefault(True)
        self._save.clicked.connect(self._on_save)
        box_button(box, "renamePlaceCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        return box

    @Slot()
    def _on_save(self) -> None:
        self._save.setEnabled(False)
        self._run(self._rename(), "rename place")

    async def _rename(self) -> None:
        problem = ""
        try:
            await self._commit(self._name.text())
        except GglibError as exc:
            problem = words_for_error(exc).text
        if not isValid(self):
            return
        if not problem:
            self.accept()
            return
        self._save.setEnabled(True)
        self._problem.setText(problem)
        self._problem.show()
