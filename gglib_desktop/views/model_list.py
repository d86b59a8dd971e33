"""The list of models with its search field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    QUrl,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QAction,
    QDesktopServices,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.app import AppViewModel
from gglib_desktop.viewmodels.model_list import RowRole
from gglib_desktop.views.icons import icon, paint_icon
from gglib_desktop.views.model_rows import RowPainter, row_height
from gglib_desktop.views.sort_button import SortButton

_MARGIN = 8
_GLASS = 14


class _ModelTableView(QTableView):
    """Typing goes to the search field, Enter starts."""

    startRequested = Signal()
    typed = Signal(str)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.startRequested.emit()
        elif event.text().strip() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)


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
    """The models, the search above them, and what to do when there are none."""

    startRequested = Signal()
    menuRequested = Signal(QPoint)  # a place on the screen
    detailsRequested = Signal()  # of the selected model

    def __init__(self, app: AppViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = app.models
        self.search = self._make_search()
        self._table = self._make_table()
        self._anchor: tuple[int, int] | None = None
        self.details = self._action("details", self.tr("&Details…"), self.detailsRequested.emit)
        self.show_in_folder = self._action("show_in_folder", self.tr("Show in &folder"), self._on_show_in_folder)
        self.copy_path = self._action("copy_path", self.tr("Copy &path"), self._on_copy_path)
        self._empty = self._make_empty_state(app)
        self._nothing_found = QLabel(self.tr("No model matches the search."), self)
        self._nothing_found.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing_found.setWordWrap(True)
        stack = QWidget(self)
        self._stack = QStackedLayout(stack)
        # The table stays visible under the text, so that assistive technology finds the list also while it is empty.
        self._stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        for page in (self._table, self._empty, self._nothing_found):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.search, 1)
        line.addWidget(SortButton(self._models, self))
        layout.addLayout(line)
        layout.addWidget(stack, 1)
        self._models.selectRequested.connect(self._on_select_requested)
        self._models.countChanged.connect(self._render)
        self._models.selectionChanged.connect(self._render_actions)
        self._models.table.rowsAboutToChange.connect(self._remember_place)
        self._models.table.rowsChanged.connect(self._restore_place)
        self._models.sortChanged.connect(self._show_selected)
        self._table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self._render()
        self._render_actions()

    def _make_search(self) -> QLineEdit:
        search = _SearchField(self)
        search.setObjectName("searchModels")
        search.setAccessibleName(self.tr("Search models"))
        search.setPlaceholderText(self.tr("Search models"))
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self._models.search)
        search.returnPressed.connect(self.startRequested)
        search.left.connect(self._on_search_left)
        return search

    def _action(self, name: str, text: str, slot: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(name)
        action.triggered.connect(slot)
        return action

    def _make_table(self) -> _ModelTableView:
        table = _ModelTableView(self)
        table.setObjectName("models")
        table.setAccessibleName(self.tr("Models"))
        table.setModel(self._models.table)
        table.setItemDelegate(RowPainter(self._models, table))
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.horizontalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(row_height(table.fontMetrics()))
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._on_menu_requested)
        table.doubleClicked.connect(self._on_double_clicked)
        table.startRequested.connect(self.startRequested)
        table.typed.connect(self._on_typed)
        return table

    def _make_empty_state(self, app: AppViewModel) -> QWidget:
        page = QWidget(self)
        title = QLabel(self.tr("No models yet"), page)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.2)
        font.setBold(True)
        title.setFont(font)
        text = QLabel(
            self.tr(
                "Drop GGUF files or folders here, or press “Add models”.\n\n"
                "No model at hand? Make a tiny one to try everything:"
            ),
            page,
        )
        self._demo = QPushButton(icon("demo"), self.tr("Create demo model"), page)
        self._demo.setObjectName("createDemoModel")
        self._demo.clicked.connect(app.create_demo.trigger)
        app.create_demo.busyChanged.connect(self._on_demo_busy)
        layout = QVBoxLayout(page)
        layout.addStretch(2)
        for label in (title, text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addWidget(self._demo, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        return page

    @Slot(bool)
    def _on_demo_busy(self, busy: bool) -> None:
        self._demo.setDisabled(busy)

    @Slot()
    def _render(self) -> None:
        shown = self._models.table.rowCount()
        total = self._models.total
        self._empty.setVisible(total == 0)
        self._nothing_found.setVisible(total > 0 and shown == 0)
        (self._empty if total == 0 else self._nothing_found if shown == 0 else self._table).raise_()

    @Slot(object)
    def _on_select_requested(self, model_id: int) -> None:
        row = self._models.table.row_of(model_id)
        if row is None and self.search.text():
            self.search.clear()
            row = self._models.table.row_of(model_id)
        if row is not None:
            index = self._models.table.index(row, 0)
            both = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Current
            self._table.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self._table.selectionModel().setCurrentIndex(index, both)
            self._table.scrollTo(index)

    @Slot()
    def _render_actions(self) -> None:
        for action in (self.details, self.show_in_folder, self.copy_path):
            action.setEnabled(self._models.selected is not None)

    @Slot()
    def _remember_place(self) -> None:
        """Notes a model that is in sight, the selected one if it is, and how far below the top edge it is."""
        table, rows = self._table, self._models.table.rows
        top = table.rowAt(0)
        self._anchor = None
        if 0 <= top < len(rows):
            anchor = top
            selected = table.selectionModel().selectedIndexes()
            if selected and 0 <= table.rowViewportPosition(selected[0].row()) < table.viewport().height():
                anchor = selected[0].row()
            self._anchor = rows[anchor].id, table.rowViewportPosition(anchor)

    @Slot()
    def _restore_place(self) -> None:
        """Keeps the selected model selected by its id, with nothing selected the first one; and what is in sight."""
        selection, model = self._table.selectionModel(), self._models.table
        if not selection.hasSelection() and model.rowCount():
            wanted = self._models.selected
            row = model.row_of(wanted.id) if wanted else 0
            index = model.index(row or 0, 0)
            selection.select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        if self._anchor is not None:
            model_id, offset = self._anchor
            row = model.row_of(model_id)
            if row is not None:
                bar = self._table.verticalScrollBar()
                bar.setValue(bar.value() + self._table.rowViewportPosition(row) - offset)

    @Slot()
    def _show_selected(self) -> None:
        """In another order: the selected model is what people still look at."""
        indexes = self._table.selectionModel().selectedIndexes()
        if indexes:
            self._table.scrollTo(indexes[0])

    @Slot()
    def _on_show_in_folder(self) -> None:
        selected = self._models.selected
        if selected is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(selected.path).parent)))

    @Slot()
    def _on_copy_path(self) -> None:
        selected = self._models.selected
        if selected is not None:
            QGuiApplication.clipboard().setText(selected.path)

    @Slot()
    def _on_selection_changed(
        self, _selected: QItemSelection | None = None, _gone: QItemSelection | None = None
    ) -> None:
        indexes = self._table.selectionModel().selectedIndexes()
        self._models.select(indexes[0].data(RowRole).id if indexes else None)

    @Slot(QModelIndex)
    def _on_double_clicked(self, _index: QModelIndex) -> None:
        self.startRequested.emit()

    @Slot()
    def _on_search_left(self) -> None:
        if self._models.table.rowCount():
            self._table.setFocus()

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        self.search.setFocus()
        self.search.setText(self.search.text() + text)

    @Slot(QPoint)
    def _on_menu_requested(self, place: QPoint) -> None:
        if self._table.indexAt(place).isValid():
            self.menuRequested.emit(self._table.viewport().mapToGlobal(place))
