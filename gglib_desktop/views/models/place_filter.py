"""Chooses the place whose models the list shows. It is only there while models lie at several places."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QWidget

from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.viewmodels.models.model_row import FilterField, FilterOption
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox


class PlaceFilter(WheelSafeComboBox):
    """The first entry shows all of them."""

    def __init__(self, models: ModelListViewModel, place_text: Callable[[str], str], parent: QWidget) -> None:
        """``place_text`` names a place by its id."""
        super().__init__(parent)
        self._place_text = place_text
        self._models = models
        self._options: list[FilterOption | None] = []
        self.setObjectName("placeFilter")
        self.setAccessibleDescription(self.tr("Places whose models are shown"))
        models.filter.choicesChanged.connect(self._fill)
        models.filter.changed.connect(self._render)
        models.countChanged.connect(self._fill)
        self.currentIndexChanged.connect(self._on_chosen)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        places = [each for each in self._models.filter.choices if each.field is FilterField.PLACE]
        gone = [each for each in self._models.filter.chosen if each.field is FilterField.PLACE and each not in places]
        self._options = [None, *places, *gone]
        names = [self.tr("All places"), *(self._place_text(each.value) for each in (*places, *gone))]
        if names != [self.itemText(row) for row in range(self.count())]:
            with QSignalBlocker(self):
                self.clear()
                self.addItems(names)
        self.setVisible(len(self._options) > 1)
        self._render()

    @Slot()
    def _render(self) -> None:
        chosen = next((row for row, each in enumerate(self._options) if each in self._models.filter.chosen), 0)
        with QSignalBlocker(self):
            self.setCurrentIndex(chosen)

    @Slot(int)
    def _on_chosen(self, row: int) -> None:
        others = {each for each in self._models.filter.chosen if each.field is not FilterField.PLACE}
        option = self._options[row]
        self._models.filter.choose(others if option is None else {*others, option})
