"""The menu's commands for the window as a whole: adding models, the settings, and what the program is."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from gglib_desktop import __version__
from gglib_desktop.viewmodels.window import WindowViewModel
from gglib_desktop.views.look.actions import Actions
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.widgets.ask import ask


class WindowCommands(QObject):
    """Opens the dialogs that belong to the window."""

    noticed = Signal(str)  # something to tell the user

    def __init__(self, actions: Actions, parts: WindowViewModel, data_dir: Path, window: QWidget) -> None:
        super().__init__(window)
        self._parts = parts
        self._data_dir = data_dir
        self._window = window
        actions.connect(
            add_models=self.add_models,
            add_folder=self.add_folder,
            settings=self.settings,
            edit_settings=self.edit_settings,
            foreign=parts.foreign.look,
            about=self.about,
        )

    @Slot()
    def add_models(self) -> None:
        self._parts.run(self._add_models(), "choose models")

    async def _add_models(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add models"))
        dialog.setObjectName("addModelsDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setDirectory(self._near_models())
        dialog.setNameFilters([self.tr("Models (*.gguf)"), self.tr("All files (*)")])
        if await ask(dialog) == QDialog.DialogCode.Accepted:
            self._parts.library.add([Path(name) for name in dialog.selectedFiles()])

    @Slot()
    def add_folder(self) -> None:
        self._parts.run(self._add_folder(), "choose a folder")

    async def _add_folder(self) -> None:
        dialog = QFileDialog(self._window, self.tr("Add folder"))
        dialog.setObjectName("addFolderDialog")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setDirectory(self._near_models())
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        if await ask(dialog) == QDialog.DialogCode.Accepted:
            self._parts.library.add([Path(name) for name in dialog.selectedFiles()])

    def _near_models(self) -> str:
        """Where people probably have more of them; not wherever the program was started from."""
        selected = self._parts.library.models.selected
        # Path's raises below a folder that must not be searched.
        if selected is not None and os.path.isdir(selected.folder):  # noqa: PTH112
            return selected.folder
        return home_folder()

    @Slot()
    def settings(self) -> None:
        from gglib_desktop.views.settings.dialog import SettingsDialog

        pages = self._parts.settings.pages()
        dialog = SettingsDialog(
            pages.form, self._window, access=pages.access, folders=pages.folders, places=pages.places
        )
        self._parts.run(ask(dialog), "settings")

    @Slot()
    def edit_settings(self) -> None:
        self._parts.run(self._edit_settings(), "edit settings file")

    async def _edit_settings(self) -> None:
        path = await self._parts.settings.file()
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            self.noticed.emit(self.tr("No program was found that opens {path}").format(path=path))

    @Slot()
    def about(self) -> None:
        from gglib_desktop.views.window.about import AboutDialog
        from gglib_desktop.views.window.diagnostics import diagnostics

        engine = self._parts.engine.state.engine
        text = f"{engine.path} ({engine.version})" if engine is not None else self.tr("none found")
        report = diagnostics(self._parts, self._data_dir)
        self._parts.run(ask(AboutDialog(__version__, text, str(self._data_dir), report, self._window)), "about")
