"""The button beside the search field that sorts the list."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from gglib_desktop.viewmodels.model_list import ModelListViewModel, SortKey
from gglib_desktop.views.icons import icon


class SortButton(QToolButton):
    """Chooses by what the list is sorted, and which way round."""

    def __init__(self, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._models = models
        self.setObjectName("sortModels")
        self.setAccessibleName(self.tr("Sort models"))
        self.setToolTip(self.tr("Sort models"))
        self.setIcon(icon("sort"))
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self._keys = QActionGroup(menu)
        for key, text in self._texts().items():
            self._add(menu, self._keys, f"sort_{key}", text).setData(key)
        menu.addSeparator()
        ways = QActionGroup(menu)
        self._ascending = self._add(menu, ways, "sort_ascending", self.tr("&Ascending"))
        self._descending = self._add(menu, ways, "sort_descending", self.tr("&Descending"))
        for group in (self._keys, ways):
            group.triggered.connect(self._on_chosen)
        self.setMenu(menu)
        models.sortChanged.connect(self._render)
        self._render()

    def _texts(self) -> dict[SortKey, str]:
        return {
            SortKey.ADDED: self.tr("Date a&dded"),
            SortKey.NAME: self.tr("&Name"),
            SortKey.SIZE: self.tr("&Size"),
            SortKey.PARAMETERS: self.tr("&Parameters"),
        }

    def _add(self, menu: QMenu, group: QActionGroup, name: str, text: str) -> QAction:
        action = group.addAction(text)
        action.setObjectName(name)
        action.setCheckable(True)
        menu.addAction(action)
        return action

    @Slot()
    def _render(self) -> None:
        for action in self._keys.actions():
            action.setChecked(action.data() == self._models.sort_key)
        (self._descending if self._models.descending else self._ascending).setChecked(True)

    @Slot(QAction)
    def _on_chosen(self, _action: QAction) -> None:
        chosen = self._keys.checkedAction()
        if chosen is not None:
            self._models.sort(SortKey(chosen.data()), descending=self._descending.isChecked())
