"""The settings' page about the places where models come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.viewmodels.settings.settings_form import FoldersState, ModelFolder, ModelFoldersViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error


class ModelFoldersPage(QWidget):
    """Lists the folders, and the models that were removed from the list, with buttons for the chosen one."""

    def __init__(self, folders: ModelFoldersViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = folders
        self._pause = push_button("pauseFolder", self.tr("Pause folder"))
        self._forget = push_button("removeFolder", self.tr("Remove folder"))
        self._back = push_button("bringBack", self.tr("Bring back"))
        self._folders = _Paths("modelFolders", self.tr("Folders that are searched for models"))
        self._removed = _Paths("removedModels", self.tr("Models that were removed from the list"))
        self._problem = WrapLabel(parent=self)
        self._problem.setObjectName("foldersProblem")
        layout = QVBoxLayout(self)
        self._folders.add_to(layout, self._pause, self._forget)
        self._removed.add_to(layout, self._back)
        layout.addWidget(self._problem)
        self._connect()
        self._show(folders.state)
        folders.look()

    def _connect(self) -> None:
        self._view_model.stateChanged.connect(self._show)
        self._view_model.failed.connect(self._on_failed)
        self._folders.list.currentRowChanged.connect(self._render_buttons)
        self._removed.list.currentRowChanged.connect(self._render_buttons)
        self._pause.clicked.connect(self._on_pause)
        self._forget.clicked.connect(self._on_forget)
        self._back.clicked.connect(self._on_back)

    @property
    def _chosen(self) -> ModelFolder | None:
        row = self._folders.list.currentRow()
        return self._view_model.state.folders[row] if row >= 0 else None

    # -- showing

    @Slot(object)
    def _show(self, state: FoldersState) -> None:
        self._problem.hide()
        self._folders.show_lines([(self._line(folder), folder.path) for folder in state.folders])
        self._removed.show_lines([(str(path), path) for path in state.removed])
        self._render_buttons()

    def _line(self, folder: ModelFolder) -> str:
        return self.tr("{path} (paused)").format(path=folder.path) if folder.paused else str(folder.path)

    @Slot()
    def _render_buttons(self) -> None:
        chosen = self._chosen
        is_paused, is_store = (chosen.paused, chosen.is_store) if chosen is not None else (False, False)
        self._pause.setText(self.tr("Resume folder") if is_paused else self.tr("Pause folder"))
        self._pause.setAccessibleName(self._pause.text())
        self._pause.setToolTip(
            self.tr("Search there again, now and from now on.")
            if is_paused
            else self.tr("Don't search there until you resume it. The models found there stay in the list.")
        )
        self._pause.setEnabled(chosen is not None)
        self._forget.setToolTip(
            self.tr("Another program keeps its models there. Pause it if you don't want it searched.")
            if is_store
            else self.tr("Don't search there any more. The models found there stay in the list.")
        )
        self._forget.setEnabled(chosen is not None and not is_store)
        self._back.setEnabled(self._removed.list.currentRow() >= 0)

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._problem.setText(words_for_error(error).text)
        self._problem.show()

    # -- acting

    @Slot()
    def _on_pause(self) -> None:
        if (folder := self._chosen) is not None:
            act = self._view_model.resume_folder if folder.paused else self._view_model.pause_folder
            act(folder)

    @Slot()
    def _on_forget(self) -> None:
        if (folder := self._chosen) is not None:
            self._view_model.remove_folder(folder)

    @Slot()
    def _on_back(self) -> None:
        row = self._removed.list.currentRow()
        if row >= 0:
            self._view_model.bring_back(self._view_model.state.removed[row])


class _Paths:
    """A list of paths with its title, and the buttons for the chosen one below it."""

    def __init__(self, name: str, title: str) -> None:
        self.list = QListWidget()
        self.list.setObjectName(name)
        self.list.setAccessibleName(title)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._title = QLabel(f"{title}:")
        self._title.setBuddy(self.list)

    def add_to(self, layout: QVBoxLayout, *buttons: QPushButton) -> None:
        layout.addWidget(self._title)
        layout.addWidget(self.list, 1)
        last = QHBoxLayout()
        last.addStretch()
        for button in buttons:
            last.addWidget(button)
        layout.addLayout(last)

    def show_lines(self, lines: Sequence[tuple[str, Path]]) -> None:
        """The text and the path of each. The selected one stays selected, or else its row."""
        row = self.list.currentRow()
        self.list.clear()
        for text, path in lines:
            self.list.addItem(text)
            self.list.item(self.list.count() - 1).setToolTip(str(path))
        self.list.setCurrentRow(min(max(row, 0), len(lines) - 1))
