"""Shows everything that is known about a model."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.models.model_details import DetailsState, ModelDetailsViewModel
from gglib_desktop.views.models.details.facts_page import FactsPage
from gglib_desktop.views.models.details.integrity_page import IntegrityPage
from gglib_desktop.views.models.details.memory_page import MemoryPage
from gglib_desktop.views.models.details.notes_page import NotesPage
from gglib_desktop.views.models.details.parts import text_label
from gglib_desktop.views.widgets.buttons import box_button, push_button
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.widgets.row_table import PlainTips, set_up_rows
from gglib_desktop.views.widgets.search_field import SearchField
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeTabWidget
from gglib_desktop.views.words.errors import sentence


class DetailsPage(IntEnum):
    """The pages, in their order."""

    FACTS = 0
    NOTES = 1
    METADATA = 2
    MEMORY = 3
    INTEGRITY = 4


class ModelDetailsDialog(QDialog):
    """Facts, notes, raw metadata and the memory forecast, each on a page of its own.

    Closing it saves the notes. If that fails it stays open and says so; closing it again discards them.
    """

    defaultsRequested = Signal(QWidget)  # the parent for the dialog

    def __init__(
        self, details: ModelDetailsViewModel, parent: QWidget | None = None, page: DetailsPage = DetailsPage.FACTS
    ) -> None:
        super().__init__(parent)
        self._details = details
        self._gives_up = self._closing = False
        self.setObjectName("modelDetailsDialog")
        self.setWindowTitle(self.tr("Details of {model}").format(model=details.state.name))
        self._problem = text_label("detailsProblem")
        pages = WheelSafeTabWidget()
        pages.setObjectName("detailsPages")
        pages.setDocumentMode(True)
        self._facts, self._notes = FactsPage(), NotesPage(details.notes)
        pages.addTab(self._facts, self.tr("&Facts"))
        pages.addTab(self._notes, self.tr("&Tags and notes"))
        pages.addTab(_MetadataPage(details), self.tr("&Metadata"))
        pages.addTab(MemoryPage(details), self.tr("Memor&y"))
        pages.addTab(IntegrityPage(details.integrity), self.tr("&Integrity"))
        pages.setCurrentIndex(page)
        layout = QVBoxLayout(self)
        layout.addLayout(self._path_line(details.state.path))
        layout.addWidget(self._problem)
        layout.addWidget(pages, 1)
        layout.addWidget(self._buttons())
        resize_within_screen(self, QSize(740, 520))
        details.stateChanged.connect(self._render)
        details.notes.saved.connect(self._on_saved)
        details.notes.failed.connect(self._on_not_saved)
        details.notes.draftChanged.connect(self._on_edited)
        self.finished.connect(details.close)
        self._render(details.state)
        # From there Ctrl+Tab and the arrow keys go through the pages.
        (self._notes if page is DetailsPage.NOTES else pages).setFocus()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in a field does not close the window."""
        if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            super().keyPressEvent(event)

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        text = self.tr("&Launch defaults…")
        defaults = box_button(box, "detailsDefaults", text, QDialogButtonBox.ButtonRole.ActionRole)
        defaults.clicked.connect(self._on_defaults)
        box_button(box, "detailsClose", self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole).setDefault(True)
        box.rejected.connect(self.reject)
        return box

    @override
    def reject(self) -> None:
        if self._gives_up or not self._details.notes.is_changed:
            super().reject()
            return
        self._closing = True
        self._details.notes.save.trigger()

    @Slot()
    def _on_defaults(self) -> None:
        self.defaultsRequested.emit(self)

    @Slot()
    def _on_saved(self) -> None:
        if self._closing:
            super().reject()

    @Slot()
    def _on_not_saved(self) -> None:
        # The user who closes it now has read why, or has a better place to be.
        self._gives_up, self._closing = True, False

    @Slot()
    def _on_edited(self) -> None:
        self._gives_up = False

    def _path_line(self, path: str) -> QHBoxLayout:
        label = text_label("detailsPath")
        # Paths have no spaces to break lines at.
        label.setText(path.replace("/", "/\u200b"))
        label.setAccessibleName(path)
        copy = push_button("detailsCopyPath", self.tr("Copy path"), icon_name="copy")
        copy.clicked.connect(self._on_copy_path)
        line = QHBoxLayout()
        line.addWidget(label, 1)
        line.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)
        return line

    @Slot()
    def _on_copy_path(self) -> None:
        QGuiApplication.clipboard().setText(self._details.state.path)

    @Slot(object)
    def _render(self, state: DetailsState) -> None:
        self._problem.setVisible(state.problem is not None)
        self._problem.setText(sentence(state.problem) if state.problem else "")
        self._facts.show_facts(state.facts)


class _MetadataPage(QWidget):
    """The raw metadata of the header, with a search and a way to copy."""

    def __init__(self, details: ModelDetailsViewModel) -> None:
        super().__init__()
        self._rows = details.metadata
        search = SearchField("searchMetadata", self.tr("Search metadata"))
        search.textChanged.connect(details.metadata.search)
        copy = push_button("detailsCopyMetadata", self.tr("Copy"), icon_name="copy")
        copy.clicked.connect(self._on_copy)
        self._table = self._make_table()
        search.left.connect(self._table.setFocus)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self._table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._on_copy)
        line = QHBoxLayout()
        line.addWidget(search, 1)
        line.addWidget(copy)
        layout = QVBoxLayout(self)
        layout.addLayout(line)
        layout.addWidget(self._table, 1)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setObjectName("metadata")
        table.setAccessibleName(self.tr("Metadata"))
        table.setModel(self._rows)
        table.setItemDelegate(PlainTips(table))
        set_up_rows(table, table.fontMetrics().lineSpacing() + 4)
        table.horizontalHeader().setStretchLastSection(True)
        table.setColumnWidth(0, table.fontMetrics().averageCharWidth() * 50)
        return table

    @Slot()
    def _on_copy(self) -> None:
        """The selected rows, or all visible ones if none is selected."""
        rows = sorted(index.row() for index in self._table.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self._rows.text(rows or range(self._rows.rowCount())))
