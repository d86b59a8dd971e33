"""The table of requests."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyleOptionViewItem, QWidget
from typing_extensions import override

from gglib_desktop.domain.traffic.request_columns import RequestColumn
from gglib_desktop.viewmodels.servers.requests import RequestsViewModel
from gglib_desktop.views.look.type_scale import type_font
from gglib_desktop.views.widgets.row_table import PlainTips, RowTable, set_up_rows
from gglib_desktop.views.words.requests import cell_text, column_hint, column_title, end_hint

_COLUMNS = tuple(RequestColumn)
_LEFT = frozenset({RequestColumn.TIME, RequestColumn.RESULT})
_SIDES = [
    (Qt.AlignmentFlag.AlignLeft if column in _LEFT else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignVCenter
    for column in _COLUMNS
]
# As numbers: with Qt's own flags, asking for them is a third of the painting.
_SELECTED = QStyle.StateFlag.State_Selected.value
_ACTIVE = QStyle.StateFlag.State_Active.value
_FOCUSED = QStyle.StateFlag.State_HasFocus.value
_LINES_SHOWN = 4
_MARGIN = 4


class RequestTableView(RowTable):
    """A click on a column's title sorts by it: first the largest, or the newest."""

    def __init__(self, requests: RequestsViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._requests = requests
        requests.table.words = cell_text
        requests.table.titles = [(column_title(column), column_hint(column)) for column in _COLUMNS]
        requests.table.hint = lambda row: end_hint(row.end)
        self.setObjectName("requests")
        self.setAccessibleName(self.tr("Requests"))
        self.setModel(requests.table)
        self.setFont(type_font(figures=True))
        set_up_rows(self, self.fontMetrics().height() + 6)
        self.setItemDelegate(_Cells(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(_LINES_SHOWN * self.fontMetrics().lineSpacing())
        self._set_up_header()

    def text(self) -> str:
        """The selected rows, else all, with the columns' titles and tabs between cells."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        table = self._requests.table
        chosen = [table.request(row) for row in rows] if rows else table.requests
        lines = [[column_title(column) for column in _COLUMNS]]
        lines += [[cell_text(column, kept.row) for column in _COLUMNS] for kept in chosen]
        return "\n".join("\t".join(line) for line in lines)

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.show()
        header.setSectionsClickable(True)
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(RequestColumn.TIME.value, Qt.SortOrder.DescendingOrder)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        metrics = self.fontMetrics()
        for column in _COLUMNS:
            texts = (column_title(column), "2026-11-30 21:14" if column is RequestColumn.TIME else "")
            # With room for the mark of the order.
            width = max(metrics.horizontalAdvance(text) for text in texts) + 3 * metrics.averageCharWidth() + 8
            header.resizeSection(column.value, width)
        header.sortIndicatorChanged.connect(self._on_order)

    @Slot(int, Qt.SortOrder)
    def _on_order(self, index: int, order: Qt.SortOrder) -> None:
        self._requests.sort(_COLUMNS[index], descending=order is Qt.SortOrder.DescendingOrder)


class _Cells(PlainTips):
    """Numbers stand at the right, under each other. Painted by us: by the style, a page of cells takes 40 ms."""

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        area, state, palette = option.rect, option.state.value, option.palette
        group = QPalette.ColorGroup.Active if state & _ACTIVE else QPalette.ColorGroup.Inactive
        if state & _SELECTED:
            painter.fillRect(area, palette.color(group, QPalette.ColorRole.Highlight))
            painter.setPen(palette.color(group, QPalette.ColorRole.HighlightedText))
        else:
            painter.setPen(palette.color(group, QPalette.ColorRole.Text))
        room, text = area.adjusted(_MARGIN, 0, -_MARGIN, 0), index.data()
        if option.fontMetrics.horizontalAdvance(text) > room.width():
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, _SIDES[index.column()], text)
        if state & _FOCUSED:
            painter.drawRect(area.adjusted(0, 0, -1, -1))
