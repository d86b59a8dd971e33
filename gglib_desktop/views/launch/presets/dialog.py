"""The dialogs about presets: one renames, deletes, imports and exports them, one asks for a preset's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.presets import LONGEST_NAME, Preset
from gglib_desktop.domain.models.model import Model
from gglib_desktop.viewmodels.launch.presets import PresetsState, PresetsViewModel
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import box_button, push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.words.errors import words_for_error
from gglib_desktop.views.words.presets import deletion_text, file_name_for, imported_text, preset_text

_SIZE = QSize(520, 340)
_NAME_CHARACTERS = 44


class ManagePresetsDialog(QDialog):
    """Acts on the selected preset in a list."""

    def __init__(self, presets: PresetsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets = presets
        self.setObjectName("presetsDialog")
        self.setWindowTitle(self.tr("Manage presets"))
        self._list = QListWidget(self)
        self._list.setObjectName("presetList")
        self._list.setAccessibleName(self.tr("Presets"))
        self._none = WrapLabel(
            self.tr("No presets yet. “Save as…” above a form makes one, “Import…” reads a file."), self
        )
        self._none.setObjectName("presetsNone")
        self._rename = push_button("presetRename", self.tr("Rename…"), self)
        self._delete = push_button("presetDelete", self.tr("Delete…"), self)
        self._export = push_button("presetExport", self.tr("Export…"), self)
        self._export_all = push_button("presetExportAll", self.tr("Export all…"), self)
        self._import = push_button("presetImport", self.tr("Import…"), self)
        self._news = WrapLabel(parent=self)
        self._news.setObjectName("presetsNews")
        self._news.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        self._connect()
        self._render(presets.state)
        resize_within_screen(self, _SIZE)

    # -- places

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        for button in (self._rename, self._delete, self._export):
            column.addWidget(button)
        column.addSpacing(10)
        for button in (self._export_all, self._import):
            column.addWidget(button)
        column.addStretch()
        row = QHBoxLayout()
        row.addWidget(self._list, 1)
        row.addLayout(column)
        box = QDialogButtonBox(self)
        box_button(box, "presetsClose", self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole).setDefault(True)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self._none)
        layout.addLayout(row, 1)
        layout.addWidget(self._news)
        layout.addWidget(box)

    def _connect(self) -> None:
        self._presets.stateChanged.connect(self._render)
        self._list.itemSelectionChanged.connect(self._on_selected)
        self._rename.clicked.connect(self._on_rename)
        self._delete.clicked.connect(self._on_delete)
        self._export.clicked.connect(self._on_export)
        self._export_all.clicked.connect(self._on_export_all)
        self._import.clicked.connect(self._on_import)

    # -- showing

    @property
    def selected(self) -> Preset | None:
        ids = [item.data(Qt.ItemDataRole.UserRole) for item in self._list.selectedItems()]
        return next((each for each in self._presets.state.presets if each.id in ids), None)

    @Slot(object)
    def _render(self, state: PresetsState) -> None:
        kept, row = self.selected, self._list.currentRow()
        with QSignalBlocker(self._list):
            self._list.clear()
            for preset in state.presets:
                item = QListWidgetItem(preset_text(preset, self._presets.model), self._list)
                item.setData(Qt.ItemDataRole.UserRole, preset.id)
            ids = [preset.id for preset in state.presets]
            wanted = ids.index(kept.id) if kept is not None and kept.id in ids else max(0, min(row, len(ids) - 1))
            self._list.setCurrentRow(wanted if ids else -1)
        self._none.setVisible(not ids)
        self._on_selected()

    @Slot()
    def _on_selected(self) -> None:
        selected = self.selected is not None
        for button in (self._rename, self._delete, self._export):
            button.setEnabled(selected)
        self._export_all.setEnabled(bool(self._presets.state.presets))

    def _tell(self, text: str) -> None:
        # The dialog may have been closed while a file was read or written.
        if isValid(self):
            self._news.setText(text)
            self._news.setAccessibleName(text)

    def _tell_error(self, error: GglibError) -> None:
        self._tell(words_for_error(error).text)

    # -- acting

    @Slot()
    def _on_rename(self) -> None:
        preset = self.selected
        if preset is None:
            return

        async def rename(name: str, _for_all: bool) -> None:
            await self._presets.rename(preset, name)

        dialog = PresetNameDialog(self.tr("Rename preset"), rename, self._presets.run, self, name=preset.name)
        self._presets.run(ask(dialog), "rename preset")

    @Slot()
    def _on_delete(self) -> None:
        if self.selected is not None:
            self._presets.run(if_there(self, self._ask_to_delete(self.selected)), "delete preset")

    async def _ask_to_delete(self, preset: Preset) -> None:
        box = QMessageBox(QMessageBox.Icon.Question, self.tr("Delete preset"), deletion_text(preset), parent=self)
        box.setObjectName("presetDeleteDialog")
        box.setTextFormat(Qt.TextFormat.PlainText)
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        delete.setObjectName("presetDeleteNow")
        cancel = box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        cancel.setObjectName("presetDeleteCancel")
        box.setDefaultButton(cancel)
        chosen: list[object] = []
        box.buttonClicked.connect(chosen.append)
        await ask(box)
        if chosen == [delete]:
            try:
                await self._presets.delete(preset)
            except GglibError as exc:
                self._tell_error(exc)

    @Slot()
    def _on_export(self) -> None:
        if self.selected is not None:
            self._presets.run(if_there(self, self._export_to_file([self.selected])), "export preset")

    @Slot()
    def _on_export_all(self) -> None:
        self._presets.run(if_there(self, self._export_to_file(self._presets.state.presets)), "export presets")

    async def _export_to_file(self, presets: Sequence[Preset]) -> None:
        name = file_name_for(presets[0].name if len(presets) == 1 else self.tr("presets"))
        dialog = self._file_dialog(self.tr("Export presets"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.selectFile(name)
        if await ask(dialog) != QDialog.DialogCode.Accepted:
            return
        path = Path(dialog.selectedFiles()[0])
        try:
            await self._presets.export(path, presets)
        except GglibError as exc:
            self._tell_error(exc)
        else:
            self._tell(self.tr("Exported to {path}.").format(path=path))

    @Slot()
    def _on_import(self) -> None:
        self._presets.run(if_there(self, self._import_from_file()), "import presets")

    async def _import_from_file(self) -> None:
        dialog = self._file_dialog(self.tr("Import presets"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if await ask(dialog) != QDialog.DialogCode.Accepted:
            return
        try:
            imported = await self._presets.import_from(Path(dialog.selectedFiles()[0]))
        except GglibError as exc:
            self._tell_error(exc)
        else:
            self._tell(imported_text(imported))

    def _file_dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setObjectName("presetFileDialog")
        dialog.setDirectory(home_folder())
        dialog.setNameFilters([self.tr("Presets (*.toml)"), self.tr("All files (*)")])
        return dialog


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
        line.setMinimumWidth(line.fontMetrics().averageCharWidth() * _NAME_CHARACTERS)
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
                self._problem.setText(words_for_error(exc).text)
                self._problem.show()
        else:
            if isValid(self):
                self.accept()
        finally:
            self._is_busy = False
