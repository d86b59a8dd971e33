"""The page of the settings about where models come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.viewmodels.model_folders import FoldersState, ModelFoldersViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.wrap_label import WrapLabel
from gglib_desktop.views.wording import words_for_error


class ModelFoldersPage(QWidget):
    """Lists the folders and the models that were taken off the list, each with a button for the chosen one."""

    def __init__(self, folders: ModelFoldersViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = folders
        self._folders = _Paths("modelFolders", self.tr("Folders that are searched for models"))
        self._removed = _Paths("removedModels", self.tr("Models that were removed from the list"))
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("foldersProblem")
        forget = push_button("removeFolder", self.tr("Remove folder"))
        forget.setToolTip(self.tr("Search there no more. The models that were found there stay in the list."))
        back = push_button("bringBack", self.tr("Bring back"))
        layout = QVBoxLayout(self)
        for paths, button, act in (
            (self._folders, forget, folders.remove_folder),
            (self._removed, back, folders.bring_back),
        ):
            paths.add_to(layout, button, act)
        layout.addWidget(self._problem)
        folders.stateChanged.connect(self._show)
        folders.failed.connect(self._on_failed)
        self._show(folders.state)
        folders.look()

    @Slot(object)
    def _show(self, state: FoldersState) -> None:
        self._problem.hide()
        self._folders.show_paths(state.folders)
        self._removed.show_paths(state.removed)

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        words = words_for_error(error)
        self._problem.setText(f"{words.summary} {words.hint}".strip())
        self._problem.show()


class _Paths:
    """A list of paths, its title, and a button for the chosen one."""

    def __init__(self, name: str, title: str) -> None:
        self._list = QListWidget()
        self._list.setObjectName(name)
        self._list.setAccessibleName(title)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._title = QLabel(f"{title}:")
        self._title.setBuddy(self._list)
        self._paths: tuple[Path, ...] = ()

    def add_to(self, layout: QVBoxLayout, button: QPushButton, act: Callable[[Path], None]) -> None:
        self._button = button
        button.clicked.connect(lambda: act(self._paths[self._list.currentRow()]))
        self._list.currentRowChanged.connect(lambda row: button.setEnabled(row >= 0))
        layout.addWidget(self._title)
        layout.addWidget(self._list, 1)
        last = QHBoxLayout()
        last.addStretch()
        last.addWidget(button)
        layout.addLayout(last)

    def show_paths(self, paths: Sequence[Path]) -> None:
        row = self._list.currentRow()
        self._paths = tuple(paths)
        self._list.clear()
        self._list.addItems([str(path) for path in paths])
        for place, path in enumerate(paths):
            self._list.item(place).setToolTip(str(path))
        self._list.setCurrentRow(min(max(row, 0), len(paths) - 1))
        self._button.setEnabled(bool(paths))
