"""A server's log as it grows."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.log import LogViewModel

_ROWS_SHOWN = 9


class LogView(QWidget):
    """Shows the end of the log and follows it, unless the reader has scrolled up."""

    def __init__(self, log: LogViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self._table = self._make_table()
        self._follow = QCheckBox(self.tr("&Follow"), self)
        self._follow.setObjectName("followLog")
        self._follow.setChecked(True)
        self._copy = QPushButton(self.tr("Copy &log"), self)
        self._copy.setObjectName("copyLog")
        self._copy.setToolTip(self.tr("Copy the selected lines, or all that are shown"))
        self._copy.clicked.connect(self._copy_lines)
        tools = QHBoxLayout()
        tools.addWidget(self._follow)
        tools.addStretch()
        tools.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self._table)
        layout.addLayout(tools)
        log.appended.connect(self._on_appended)
        self._follow.toggled.connect(self._on_follow_toggled)
        self._table.verticalScrollBar().actionTriggered.connect(self._on_scrolled_by_hand)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self._table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._copy_lines)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._log.set_shown(True)
        self._on_appended()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._log.set_shown(False)

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("log")
        table.setAccessibleName(self.tr("Log lines"))
        table.setModel(self._log.table)
        table.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        # Rows of one fixed height: anything else lays out every row again at each new line.
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        row_height = table.fontMetrics().lineSpacing() + 2
        table.verticalHeader().setMinimumSectionSize(row_height)
        table.verticalHeader().setDefaultSectionSize(row_height)
        table.horizontalHeader().hide()
        table.horizontalHeader().setStretchLastSection(False)
        table.horizontalHeader().resizeSection(0, table.fontMetrics().averageCharWidth() * 260)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideNone)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setMinimumHeight(_ROWS_SHOWN * row_height)
        return table

    @Slot()
    def _on_appended(self) -> None:
        if self._follow.isChecked():
            self._table.scrollToBottom()

    @Slot(bool)
    def _on_follow_toggled(self, follow: bool) -> None:
        if follow:
            self._table.scrollToBottom()

    @Slot(int)
    def _on_scrolled_by_hand(self, _action: int) -> None:
        bar = self._table.verticalScrollBar()
        self._follow.setChecked(bar.sliderPosition() >= bar.maximum())

    @Slot()
    def _copy_lines(self) -> None:
        selection: QItemSelectionModel = self._table.selectionModel()
        rows = sorted(index.row() for index in selection.selectedRows())
        lines = [str(self._log.table.index(row, 0).data()) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(lines) if lines else self._log.table.text())
