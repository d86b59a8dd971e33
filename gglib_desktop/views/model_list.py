"""The list of models with its search field."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.app import AppViewModel
from gglib_desktop.viewmodels.model_list import ModelRow, RowRole
from gglib_desktop.views.icons import icon, paint_icon
from gglib_desktop.views.theme import quiet_colour, state_colour, state_icon

_MARGIN = 8
_ICON = 12
_GLASS = 14


class _RowPainter(QStyledItemDelegate):
    """Paints a model in two lines: state, name and quantisation, then facts or the problem."""

    @override
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: ModelRow = index.data(RowRole)
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        ink = option.palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        quiet = ink if selected else quiet_colour(option.palette)
        painter.save()
        area = option.rect.adjusted(_MARGIN, _MARGIN // 2, -_MARGIN, -_MARGIN // 2)
        first = QRect(area.left(), area.top(), area.width(), area.height() // 2)
        second = QRect(area.left(), first.bottom() + 1, area.width(), area.height() - first.height())
        self._paint_state(painter, first, row, None if selected else option.palette, ink)
        text_left = first.left() + _ICON + _MARGIN
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        quantisation_width = QFontMetrics(option.font).horizontalAdvance(row.quantisation)
        name_area = QRect(
            text_left, first.top(), first.right() - text_left - quantisation_width - _MARGIN, first.height()
        )
        painter.setPen(quiet)
        painter.setFont(option.font)
        painter.drawText(first, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), row.quantisation)
        text, pen = (row.problem, ink) if row.problem else (row.facts, quiet)
        _draw_elided(painter, second.adjusted(_ICON + _MARGIN, 0, 0, 0), text, pen, option.font)
        _draw_elided(painter, name_area, row.name, ink, bold)
        painter.restore()

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, row_height(option.fontMetrics))

    def _paint_state(
        self, painter: QPainter, line: QRect, row: ModelRow, palette: QPalette | None, ink: QColor
    ) -> None:
        place = QRect(line.left(), line.center().y() - _ICON // 2 + 1, _ICON, _ICON)
        if row.problem and row.state is None:
            paint_icon(painter, place, "warning", ink if palette is None else state_colour("Degraded", palette))
        elif row.state is not None:
            word = row.state.word
            paint_icon(painter, place, state_icon(word), ink if palette is None else state_colour(word, palette))


def row_height(metrics: QFontMetrics) -> int:
    """The height of every row, in pixels: two lines and the margins."""
    return 2 * metrics.lineSpacing() + _MARGIN + 4


def _draw_elided(painter: QPainter, area: QRect, text: str, ink: QColor, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(ink)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


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

    def __init__(self, app: AppViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = app.models
        self.search = self._make_search()
        self._table = self._make_table()
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
        layout.addWidget(self.search)
        layout.addWidget(stack, 1)
        self._models.selectRequested.connect(self._on_select_requested)
        self._models.countChanged.connect(self._render)
        self._models.table.modelReset.connect(self._restore_selection)
        self._models.table.rowsInserted.connect(self._restore_selection)
        self._models.table.rowsRemoved.connect(self._restore_selection)
        self._table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self._render()

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

    def _make_table(self) -> _ModelTableView:
        table = _ModelTableView(self)
        table.setObjectName("models")
        table.setAccessibleName(self.tr("Models"))
        table.setModel(self._models.table)
        table.setItemDelegate(_RowPainter(table))
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
    def _restore_selection(self) -> None:
        """Keeps the selected model selected by its id; with nothing selected, the first one."""
        selection = self._table.selectionModel()
        if selection.hasSelection():
            return
        wanted = self._models.selected
        row = self._models.table.row_of(wanted.id) if wanted else 0
        if row is not None and self._models.table.rowCount():
            index = self._models.table.index(row, 0)
            selection.select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

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
