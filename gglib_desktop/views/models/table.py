"""The table of the model list: its keys and its mouse."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget
from typing_extensions import override

from gglib_desktop.viewmodels.models.model_list import ModelListViewModel
from gglib_desktop.views.models.row_painter import RowPainter, row_height
from gglib_desktop.views.widgets.row_table import RowTable, set_up_rows


class ModelTableView(RowTable):
    """Typing goes to the search field, Enter starts, Esc clears the search."""

    startRequested = Signal()
    typed = Signal(str)
    escaped = Signal()
    menuRequested = Signal(QPoint)  # a place on the screen

    def __init__(self, models: ModelListViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("models")
        self.setAccessibleName(self.tr("Models"))
        self.setModel(models.table)
        self.setItemDelegate(RowPainter(models, self))
        set_up_rows(self, row_height(self.fontMetrics()))
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(self._on_double_clicked)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        held = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.startRequested.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        # Not Backspace and Delete, whose text is a control character.
        elif event.text().strip() and event.text().isprintable() and not held:
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        selected = self.selectionModel().selectedIndexes()
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            if self.indexAt(event.pos()).isValid():
                self.menuRequested.emit(event.globalPos())
        elif selected:
            # A key opens it at the selected model, wherever the mouse is.
            self.scrollTo(selected[0])
            self.menuRequested.emit(self.viewport().mapToGlobal(self.visualRect(selected[0]).center()))

    @Slot(QModelIndex)
    def _on_double_clicked(self, _index: QModelIndex) -> None:
        self.startRequested.emit()
