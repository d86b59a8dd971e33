"""The list of models with its search field."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, QRect, QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.models.library import LibraryViewModel
from gglib_desktop.viewmodels.models.model_list import RowRole
from gglib_desktop.viewmodels.models.model_row import FilterField
from gglib_desktop.views.look.icons import paint_icon
from gglib_desktop.views.models.empty_state import EmptyState
from gglib_desktop.views.models.kept_place import KeptPlace
from gglib_desktop.views.models.lines import FilterLine, ScanLine
from gglib_desktop.views.models.menus import FilterMenu, MenuButton, SortMenu
from gglib_desktop.views.models.table import ModelTableView

_MARGIN = 8
_GLASS = 14


class _SearchField(QLineEdit):
    """Shows a magnifying glass. QLineEdit's own icons are buttons, and this one would do nothing.

    Down leaves it for the list, and so does Esc, which clears it.
    """

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setTextMargins(_GLASS + _MARGIN, 0, 0, 0)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        place = QRect(_MARGIN, (self.height() - _GLASS) // 2, _GLASS, _GLASS)
        paint_icon(QPainter(self), place, "search", self.palette().color(QPalette.ColorRole.PlaceholderText))


class ModelListView(QWidget):
    """The models, the search above them, and what to do if there are none."""

    startRequested = Signal()
    menuRequested = Signal(QPoint)  # a place on the screen

    def __init__(self, library: LibraryViewModel, settings: QSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._models = library.models
        self.search = self._make_search()
        self.sort_menu = SortMenu(self._models, settings, self)
        self.filter_menu = FilterMenu(self._models, self)
        self._filter_line = FilterLine(self.filter_menu, self)
        self._table = ModelTableView(self._models, self)
        self._empty = EmptyState(library, self._table, self)
        self._nothing_found = QLabel(self)
        self._nothing_found.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing_found.setWordWrap(True)
        self._count = QLabel(self)
        self._count.setObjectName("modelCount")
        self._assemble()
        self._connect()
        self._render()

    @Slot()
    def start_search(self) -> None:
        """Focuses the search and selects its text, so that typing replaces it."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _assemble(self) -> None:
        stack = QWidget(self)
        pages = QStackedLayout(stack)
        # The table stays visible under the text, so that assistive technology finds the list also while it is empty.
        pages.setStackingMode(QStackedLayout.StackingMode.StackAll)
        for page in (self._table, self._empty, self._nothing_found):
            pages.addWidget(page)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.search, 1)
        filters = MenuButton("filterModels", self.tr("Filter models"), "filter", self.filter_menu, self)
        sorting = MenuButton("sortModels", self.tr("Sort models"), "sort", self.sort_menu, self)
        for before, after in pairwise((self.search, filters, sorting, self._table)):
            self.setTabOrder(before, after)
        line.addWidget(filters)
        line.addWidget(sorting)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(line)
        layout.addWidget(self._filter_line)
        self._models.filter.choicesChanged.connect(self._show_places)
        layout.addWidget(stack, 1)
        layout.addWidget(self._count)
        self._library.progressChanged.connect(self._show_scan)

    @Slot()
    def _show_scan(self) -> None:
        """Made for the first scan that takes long enough to be shown."""
        self._library.progressChanged.disconnect(self._show_scan)
        layout = self.layout()
        assert layout is not None
        layout.addWidget(ScanLine(self._library, self))

    @Slot()
    def _show_places(self) -> None:
        """Made once there are models at another place."""
        if not any(option.field is FilterField.PLACE for option in self._models.filter.choices):
            return
        from gglib_desktop.views.models.place_filter import PlaceFilter

        self._models.filter.choicesChanged.disconnect(self._show_places)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        places = PlaceFilter(self._models, self.filter_menu.place_text, self)
        layout.insertWidget(layout.indexOf(self._filter_line), places)
        self.setTabOrder(self.search, places)

    def _connect(self) -> None:
        models, table = self._models, self._table
        models.selectRequested.connect(self._on_select_requested)
        models.countChanged.connect(self._render)
        models.filter.changed.connect(self._render)
        KeptPlace(models, table)
        models.order.changed.connect(self._show_selected)
        table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        table.startRequested.connect(self.startRequested)
        table.menuRequested.connect(self.menuRequested)
        table.typed.connect(self._on_typed)
        table.escaped.connect(self.search.clear)

    def _make_search(self) -> _SearchField:
        search = _SearchField(self)
        search.setObjectName("searchModels")
        search.setAccessibleName(self.tr("Search models"))
        search.setPlaceholderText(self.tr("Search models"))
        search.textChanged.connect(self._on_search_text)
        search.returnPressed.connect(self.startRequested)
        search.left.connect(self._on_search_left)
        return search

    @Slot(str)
    def _on_search_text(self, text: str) -> None:
        # The button is invisible before there is a text, and making it takes a hundredth of the start. After this key
        # stroke, which has enough to do; only once, as Qt would make it anew.
        if not self.search.isClearButtonEnabled():
            QTimer.singleShot(0, self, self._add_clear_button)
        self._models.search(text)

    @Slot()
    def _add_clear_button(self) -> None:
        self.search.setClearButtonEnabled(True)

    @Slot()
    def _render(self) -> None:
        shown, total = self._models.table.rowCount(), self._models.total
        self._filter_line.show_counts(shown, total)
        self._count.setText(self._count_text(shown, total))
        self._count.setVisible(total > 0)
        if not self._models.filter.chosen:
            self._nothing_found.setText(self.tr("No models match your search."))
        elif not self._models.words:
            self._nothing_found.setText(self.tr("No models match the filter."))
        else:
            self._nothing_found.setText(self.tr("No models match both your search and the filter."))
        self._empty.setVisible(total == 0)
        self._nothing_found.setVisible(total > 0 and shown == 0)
        (self._empty if total == 0 else self._nothing_found if shown == 0 else self._table).raise_()

    def _count_text(self, shown: int, total: int) -> str:
        if shown < total:
            return self.tr("{shown} of {total} models").format(shown=shown, total=total)
        return self.tr("1 model") if total == 1 else self.tr("{total} models").format(total=total)

    @Slot(object)
    def _on_select_requested(self, model_id: int) -> None:
        row = self._models.table.row_of(model_id)
        if row is None:
            self.search.clear()
            row = self._models.table.row_of(model_id)
        if row is None:
            self._models.filter.choose(())
            row = self._models.table.row_of(model_id)
        if row is not None:
            index = self._models.table.index(row, 0)
            both = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Current
            self._table.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self._table.selectionModel().setCurrentIndex(index, both)
            self._table.scrollTo(index)

    @Slot()
    def _show_selected(self) -> None:
        """After a change of order the selected model is still what the user looks at."""
        indexes = self._table.selectionModel().selectedIndexes()
        if indexes:
            self._table.scrollTo(indexes[0])

    @Slot()
    def _on_selection_changed(
        self, _selected: QItemSelection | None = None, _gone: QItemSelection | None = None
    ) -> None:
        indexes = self._table.selectionModel().selectedIndexes()
        self._models.select(indexes[0].data(RowRole).id if indexes else None)

    @Slot()
    def _on_search_left(self) -> None:
        if self._models.table.rowCount():
            self._table.setFocus()

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        self.search.setFocus()
        self.search.setText(self.search.text() + text)
