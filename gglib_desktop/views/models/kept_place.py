"""Keeps the user's place in the list of models while its rows change."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QObject, Slot

from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.views.models.table import ModelTableView


class KeptPlace(QObject):
    """Belongs to the table. The selected model stays selected, and a visible one stays where it is."""

    def __init__(self, models: ModelListViewModel, table: ModelTableView) -> None:
        super().__init__(table)
        self._models = models
        self._table = table
        self._anchor: tuple[int, int] | None = None
        self._selected_row = 0
        models.table.rowsAboutToChange.connect(self._remember)
        models.table.rowsChanged.connect(self._restore)

    @Slot()
    def _remember(self) -> None:
        """Notes a visible model, the selected one if it is visible, and how far below the top edge it is."""
        table, ids = self._table, self._models.table.ids
        top = table.rowAt(0)
        self._anchor = None
        if 0 <= top < len(ids):
            anchor = top
            selected = table.selectionModel().selectedIndexes()
            self._selected_row = selected[0].row() if selected else 0
            if selected and 0 <= table.rowViewportPosition(selected[0].row()) < table.maximumViewportSize().height():
                anchor = selected[0].row()
            self._anchor = ids[anchor], table.rowViewportPosition(anchor)

    @Slot()
    def _restore(self) -> None:
        """Selects the same model by its id, or the one in its row now, and scrolls to the noted place."""
        selection, model = self._table.selectionModel(), self._models.table
        if not selection.hasSelection() and model.rowCount():
            wanted = self._models.selected
            row = model.row_of(wanted.id) if wanted else min(self._selected_row, model.rowCount() - 1)
            index = model.index(row or 0, 0)
            selection.select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        if self._anchor is not None:
            model_id, offset = self._anchor
            row = model.row_of(model_id)
            if row is not None:
                bar = self._table.verticalScrollBar()
                bar.setValue(bar.value() + self._table.rowViewportPosition(row) - offset)
