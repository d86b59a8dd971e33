"""What the user chose of the list of models: its order and its filter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gglib_desktop.services.models.library import ModelFolders
from gglib_desktop.viewmodels.models.model_filter import Places, choices, in_menu_order
from gglib_desktop.viewmodels.models.model_row import FilterOption, ModelRow, SortKey


class ModelOrder(QObject):
    """The order of the list; at first that in which the models were added."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.key = SortKey.ADDED
        self.descending = False

    def sort(self, key: SortKey, *, descending: bool) -> None:
        if (key, descending) != (self.key, self.descending):
            self.key, self.descending = key, descending
            self.changed.emit()


class ModelFilter(QObject):
    """The options that shown models meet."""

    changed = Signal()
    choicesChanged = Signal()

    def __init__(self, folders: ModelFolders, parent: QObject) -> None:
        super().__init__(parent)
        self._folders = folders
        self._paths: tuple[Path, ...] = ()
        self.places = Places()
        self.chosen: frozenset[FilterOption] = frozenset()
        """What the list is filtered by; empty when it is not."""
        self.choices: tuple[FilterOption, ...] = ()
        """What it could be filtered by."""

    def choose(self, chosen: Collection[FilterOption]) -> None:
        """Shows only the models that have every capability chosen, and of each other field any value chosen."""
        if frozenset(chosen) != self.chosen:
            self.chosen = frozenset(chosen)
            self.changed.emit()

    def places_changed(self) -> bool:
        """Whether ``offer`` must see all rows, since any of them may lie in another place now."""
        return self._folders.places != self._paths

    def offer(self, rows: Sequence[ModelRow], *, more: bool) -> None:
        """Offers to filter by what ``rows`` meet, and with ``more`` by what others met before."""
        self._paths = self._folders.places
        self.places = Places(self._paths)
        found = choices(rows, self.places)
        if more:
            found = in_menu_order({*found, *self.choices})
        if found != self.choices:
            self.choices = found
            self.choicesChanged.emit()
