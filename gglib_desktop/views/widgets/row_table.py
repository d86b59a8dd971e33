"""The common part of our tables: rows of one fixed height, and no editing."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFocusEvent, QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView
from typing_extensions import override

from gglib_desktop.views.widgets.focus_frame import paint_focus
from gglib_desktop.views.widgets.tool_tip import show_tip


def set_up_rows(table: QTableView, row_height: int) -> None:
    """With any other height, every new row lays out all rows again: measured, a stall with 10,000 of them."""
    rows = table.verticalHeader()
    rows.hide()
    rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    rows.setMinimumSectionSize(row_height)
    rows.setDefaultSectionSize(row_height)
    table.horizontalHeader().hide()
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)


class RowTable(QTableView):
    """Shows the focus by a frame, also while it is empty."""

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            paint_focus(self.viewport())

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()


class PlainTips(QStyledItemDelegate):
    """Shows tool tips of items as plain text, wrapped."""

    @override
    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        show_tip(event, index.data(Qt.ItemDataRole.ToolTipRole) or "", view)
        return True
