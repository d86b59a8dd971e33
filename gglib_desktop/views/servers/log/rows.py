"""The rows of a log: one fixed height, colored by level, with search matches marked."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontDatabase, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionFocusRect,
    QStyleOptionViewItem,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.viewmodels.servers.log_table import LevelRole, LogTable
from gglib_desktop.views.look.theme import is_dark, match_colours
from gglib_desktop.views.widgets.row_table import RowTable, set_up_rows

_ROWS_SHOWN = 9
_MARGIN = 4
# On a light table, and on a dark one: at least 4.5 : 1 against the background, and against a match's.
_LEVEL_COLOURS = {
    LogLevel.ERROR: ("#ae1c1c", "#ff9a92"),
    LogLevel.WARNING: ("#7d4d00", "#f2bd4b"),
    LogLevel.DEBUG: ("#545b66", "#b3b9c2"),
    LogLevel.NOTE: ("#545b66", "#b3b9c2"),
}


class LogRows(RowTable):
    """Stays at the end while it follows. Scrolling up ends that, and scrolling back to the end resumes it."""

    followChanged = Signal(bool)

    def __init__(self, table: LogTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._follows = True
        self._rows_are_changing = False
        # The line that the column is as wide as.
        self._measured = ""
        self.setObjectName("log")
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setModel(table)
        self.setItemDelegate(_LineDelegate(table, self))
        row_height = self.fontMetrics().lineSpacing() + 2
        set_up_rows(self, row_height)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setMinimumSectionSize(1)
        self.horizontalHeader().setMaximumSectionSize(1_000_000)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMinimumHeight(_ROWS_SHOWN * row_height)
        table.rowsAboutToBeRemoved.connect(self._on_rows_about_to_go)
        table.rowsRemoved.connect(self._on_rows_gone)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)

    @property
    def follows(self) -> bool:
        return self._follows

    def follow(self, follow: bool) -> None:
        """Goes to the end and stays there, or stays where it is."""
        if follow != self._follows:
            self._follows = follow
            self.followChanged.emit(follow)
        self.show_news()

    def show_news(self) -> None:
        """After new rows: as wide as the longest one, and at the end if it follows."""
        longest = self._table.longest_line
        if longest != self._measured:
            self._measured = longest
            self._fit_width()
        if self._follows:
            self.scrollToBottom()

    def show_row(self, row: int) -> None:
        """Selects a row and brings it into view, with some rows around it."""
        index = self._table.index(row, 0)
        self.setCurrentIndex(index)
        visible = self.visualRect(index)
        if not self.viewport().rect().contains(QRect(0, visible.top(), 1, visible.height())):
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self._on_scrolled(self.verticalScrollBar().value())

    def show_from(self, least: LogLevel) -> None:
        """Shows the lines of this level and above, and keeps the reader's place."""
        follows, current = self._follows, self.currentIndex()
        number = self._table.number_at(current.row() if current.isValid() else self.first_visible_row())
        self._rows_are_changing = True
        self._table.show_from(least)
        self._measured = ""
        self.show_news()
        row = self._table.row_near(number) if number is not None else -1
        if row >= 0 and current.isValid():
            self.selectRow(row)
        if row >= 0 and not follows:
            self.scrollTo(self._table.index(row, 0), QAbstractItemView.ScrollHint.PositionAtCenter)
        self._rows_are_changing = False
        self._on_scrolled(self.verticalScrollBar().value())

    def first_visible_row(self) -> int:
        return max(0, self.rowAt(0))

    def selected_rows(self) -> list[int]:
        """In order. By ranges: a hundred thousand indexes one by one take a noticeable time."""
        selection = self.selectionModel().selection()
        parts = [selection.at(index) for index in range(selection.count())]
        return sorted(row for part in parts for row in range(part.top(), part.bottom() + 1))

    @override
    def keyboardSearch(self, search: str) -> None:
        """Does nothing: Qt's search would ask for every line at each key. There is a search field."""

    @override
    def sizeHintForColumn(self, column: int) -> int:
        return self.columnWidth(column)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_width()

    def _fit_width(self) -> None:
        width = self.fontMetrics().horizontalAdvance(self._measured) + 2 * _MARGIN
        width = max(width, self.viewport().width())
        if self.columnWidth(0) != width:
            self.setColumnWidth(0, width)

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        at_end = value >= self.verticalScrollBar().maximum()
        if not self._rows_are_changing and at_end != self._follows:
            self._follows = at_end
            self.followChanged.emit(at_end)

    @Slot()
    def _on_rows_about_to_go(self) -> None:
        self._rows_are_changing = True

    @Slot(QModelIndex, int, int)
    def _on_rows_gone(self, _parent: QModelIndex, first: int, last: int) -> None:
        """A user who has scrolled up keeps seeing the same lines."""
        if not self._follows:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() - (last - first + 1))
        self._rows_are_changing = False


class _LineDelegate(QStyledItemDelegate):
    """Paints plain text itself: the style's way costs five times as much, at forty rows twenty times a second."""

    def __init__(self, table: LogTable, parent: QObject) -> None:
        super().__init__(parent)
        self._table = table

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        text, level = index.data(), index.data(LevelRole)
        palette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(option.font)
        if selected:
            painter.fillRect(option.rect, palette.brush(QPalette.ColorRole.Highlight))
        area = option.rect.adjusted(_MARGIN, 0, -_MARGIN, 0)
        matches = self._matches(text, area, painter)
        colour, ink = match_colours(palette, selected=selected)
        for match, _part in matches:
            painter.fillRect(match, colour)
        painter.setPen(_text_colour(level, palette, selected=selected))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.drawText(area, flags, text)
        if selected:
            painter.setPen(ink)
            for match, part in matches:
                painter.fillRect(match, colour)
                painter.drawText(match, flags, part)
        if option.state & QStyle.StateFlag.State_HasFocus:
            _paint_focus(painter, option)
        painter.restore()

    def _matches(self, text: str, area: QRect, painter: QPainter) -> list[tuple[QRect, str]]:
        """The places of the sought text, and its spelling there."""
        wanted = self._table.matches.text
        lower = text.lower() if wanted else ""
        if not wanted or len(lower) != len(text):
            # Some letters change their number in lower case; such a line counts, but is not marked.
            return []
        metrics = painter.fontMetrics()
        found: list[tuple[QRect, str]] = []
        begin = lower.find(wanted)
        while begin >= 0:
            end = begin + len(wanted)
            left = area.left() + metrics.horizontalAdvance(text[:begin])
            right = area.left() + metrics.horizontalAdvance(text[:end])
            found.append((QRect(left, area.top(), right - left, area.height()), text[begin:end]))
            begin = lower.find(wanted, end)
        return found


def _text_colour(level: LogLevel, palette: QPalette, *, selected: bool) -> QColor:
    if selected:
        return palette.color(QPalette.ColorRole.HighlightedText)
    return level_colour(level, palette)


def level_colour(level: LogLevel, palette: QPalette) -> QColor:
    """The color of a line that is not selected."""
    if level in _LEVEL_COLOURS:
        return QColor(_LEVEL_COLOURS[level][is_dark(palette)])
    return palette.color(QPalette.ColorRole.Text)


def _paint_focus(painter: QPainter, option: QStyleOptionViewItem) -> None:
    focus = QStyleOptionFocusRect()
    focus.rect = option.rect
    focus.palette = option.palette
    option.widget.style().drawPrimitive(QStyle.PrimitiveElement.PE_FrameFocusRect, focus, painter, option.widget)
