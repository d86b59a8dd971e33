"""The dialogs that change one thing about a place: its name, or the key that it is shown."""

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

_CHARACTERS = 40
Commit = Callable[[str], Awaitable[None]]
Run = Callable[[Coroutine[Any, Any, object], str], None]


class _LineDialog(QDialog):
    """One line to type. Closes once that is kept; until then it says why not."""

    def __init__(self, commit: Commit, run: Run, parent: QWidget | None) -> None:
        """``commit`` takes what was typed and raises GglibError if it cannot; ``run`` runs coroutines."""
        super().__init__(parent)
        self._commit, self._run = commit, run
        self.line = QLineEdit(self)
        self.line.setMinimumWidth(self.line.fontMetrics().averageCharWidth() * _CHARACTERS)
        self._problem = WrapLabel(parent=self)
        self._problem.hide()

    def lay_out(self, name: str, label: str, save: str, *above: QWidget) -> None:
        """``name``: how the names of its parts begin. ``save``: the text of the button."""
        self._problem.setObjectName(f"{name}Problem")
        rows = QFormLayout()
        rows.addRow(label, self.line)
        layout = QVBoxLayout(self)
        for each in above:
            layout.addWidget(each)
        layout.addLayout(rows)
        layout.addWidget(self._problem)
        box = QDialogButtonBox(self)
        self._save = box_button(box, f"{name}Save", save, QDialogButtonBox.ButtonRole.AcceptRole)
        self._save.setDefault(True)
        self._save.clicked.connect(self._on_save)
        box_button(box, f"{name}Cancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.line.setFocus()

    @Slot()
    def _on_save(self) -> None:
        self._save.setEnabled(False)
        self._run(self._keep(), self.windowTitle())

    async def _keep(self) -> None:
        problem = ""
        try:
            await self._commit(self.line.text())
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


class RenamePlaceDialog(_LineDialog):
    """Its id stays."""

    def __init__(self, name: str, commit: Commit, run: Run, parent: QWidget | None = None) -> None:
        super().__init__(commit, run, parent)
        self.setObjectName("renamePlaceDialog")
        self.setWindowTitle(self.tr("Rename place"))
        self.line.setObjectName("placeNewName")
        self.line.setAccessibleName(self.tr("Name"))
        self.line.setText(name)
        self.line.selectAll()
        self.lay_out("renamePlace", self.tr("&Name:"), self.tr("Rename"))


class ChangeKeyDialog(_LineDialog):
    """The key that it has is never shown."""

    def __init__(self, name: str, commit: Commit, run: Run, parent: QWidget | None = None) -> None:
        super().__init__(commit, run, parent)
        self.setObjectName("changeKeyDialog")
        self.setWindowTitle(self.tr("Change key"))
        self.line.setObjectName("placeNewKey")
        self.line.setAccessibleName(self.tr("Key"))
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        meaning = self.tr("The key that {name} is shown from now on. Without one, it is shown none.").format(name=name)
        self.lay_out("changeKey", self.tr("&Key:"), self.tr("Change"), WrapLabel(meaning))
