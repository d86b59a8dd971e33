"""Shows all that is known about a model."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.viewmodels.model_details import DetailsState, Fact, FactName, ModelDetailsViewModel
from gglib_desktop.views.dialogs.memory_page import MemoryPage
from gglib_desktop.views.dialogs.notes_page import NotesPage
from gglib_desktop.views.icons import icon
from gglib_desktop.views.wording import sentence


class DetailsPage(IntEnum):
    """The pages, in their order."""

    FACTS = 0
    NOTES = 1
    METADATA = 2
    MEMORY = 3


class ModelDetailsDialog(QDialog):
    """Facts, notes, raw metadata and the memory forecast, each on a page of its own.

    Closing it saves the notes. If that fails it stays, and says so; closing it once more gives them up.
    """

    def __init__(
        self, details: ModelDetailsViewModel, parent: QWidget | None = None, page: DetailsPage = DetailsPage.FACTS
    ) -> None:
        super().__init__(parent)
        self._details = details
        self._gives_up = self._closing = False
        self.setObjectName("modelDetailsDialog")
        self.setWindowTitle(self.tr("Details of {model}").format(model=details.state.name))
        self._problem = _text_label("detailsProblem")
        pages = QTabWidget()
        pages.setObjectName("detailsPages")
        pages.setDocumentMode(True)
        self._facts, self._notes = _FactsPage(), NotesPage(details.notes)
        pages.addTab(self._facts, self.tr("&Facts"))
        pages.addTab(self._notes, self.tr("&Tags and notes"))
        pages.addTab(_MetadataPage(details), self.tr("&Metadata"))
        pages.addTab(MemoryPage(details), self.tr("Memor&y"))
        pages.setCurrentIndex(page)
        if page is DetailsPage.NOTES:
            self._notes.setFocus()
        layout = QVBoxLayout(self)
        layout.addLayout(self._path_line(details.state.path))
        layout.addWidget(self._problem)
        layout.addWidget(pages, 1)
        box = QDialogButtonBox()
        close = box.addButton(self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setObjectName("detailsClose")
        close.setAccessibleName(self.tr("Close"))
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(680, 480)
        details.stateChanged.connect(self._render)
        details.notes.saved.connect(self._on_saved)
        details.notes.failed.connect(self._on_not_saved)
        details.notes.draftChanged.connect(self._on_edited)
        self.finished.connect(details.close)
        self._render(details.state)

    @override
    def reject(self) -> None:
        if self._gives_up or not self._details.notes.is_changed:
            super().reject()
            return
        self._closing = True
        self._details.notes.save.trigger()

    @Slot()
    def _on_saved(self) -> None:
        if self._closing:
            super().reject()

    @Slot()
    def _on_not_saved(self) -> None:
        # Whoever closes it now has read why, or has somewhere better to be.
        self._gives_up, self._closing = True, False

    @Slot()
    def _on_edited(self) -> None:
        self._gives_up = False

    def _path_line(self, path: str) -> QHBoxLayout:
        label = _text_label("detailsPath")
        # Paths have no spaces to break lines at.
        label.setText(path.replace("/", "/\u200b"))
        label.setAccessibleName(path)
        copy = _copy_button("detailsCopyPath", self.tr("Copy path"))
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


class _FactsPage(QScrollArea):
    """Each fact with what says so."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("detailsFacts")
        self.setAccessibleName(self.tr("Facts"))
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self._shown: tuple[Fact, ...] = ()

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        if facts == self._shown:
            return
        self._shown = facts
        page = QWidget()
        grid = QGridLayout(page)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(18)
        words = self._words()
        for line, fact in enumerate(facts):
            value = _text_label(f"fact_{fact.name.replace(' ', '_')}", fact.value)
            value.setAccessibleName(f"{words[fact.name]}: {fact.value}")
            source = QLabel(fact.source)
            source.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            source.setTextFormat(Qt.TextFormat.PlainText)
            for column, label in enumerate((QLabel(words[fact.name]), value, source)):
                grid.addWidget(label, line, column, Qt.AlignmentFlag.AlignTop)
        grid.setRowStretch(len(facts), 1)
        self.setWidget(page)

    def _words(self) -> dict[FactName, str]:
        return {
            FactName.NAME: self.tr("Name"),
            FactName.ARCHITECTURE: self.tr("Architecture"),
            FactName.SIZE: self.tr("Size"),
            FactName.PARAMETERS: self.tr("Parameters"),
            FactName.QUANTISATION: self.tr("Quantisation"),
            FactName.CONTEXT: self.tr("Longest context"),
            FactName.LAYERS: self.tr("Layers"),
            FactName.MTP_LAYERS: self.tr("MTP layers"),
            FactName.WIDTH: self.tr("Embedding width"),
            FactName.HEADS: self.tr("Attention heads"),
            FactName.KEY_HEADS: self.tr("Key and value heads"),
            FactName.EXPERTS: self.tr("Experts"),
            FactName.EXPERTS_USED: self.tr("Experts used at a time"),
            FactName.WINDOW: self.tr("Sliding window"),
            FactName.TOKENIZER: self.tr("Tokenizer"),
            FactName.CHAT_TEMPLATE: self.tr("Chat template"),
            FactName.LICENCE: self.tr("Licence"),
        }


class _MetadataPage(QWidget):
    """The raw metadata of the header, with a search and a way to copy."""

    def __init__(self, details: ModelDetailsViewModel) -> None:
        super().__init__()
        self._rows = details.metadata
        search = QLineEdit()
        search.setObjectName("searchMetadata")
        search.setAccessibleName(self.tr("Search metadata"))
        search.setPlaceholderText(self.tr("Search metadata"))
        search.setClearButtonEnabled(True)
        search.textChanged.connect(details.metadata.search)
        copy = _copy_button("detailsCopyMetadata", self.tr("Copy"))
        copy.clicked.connect(self._on_copy)
        self._table = self._make_table()
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
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.horizontalHeader().hide()
        table.horizontalHeader().setStretchLastSection(True)
        table.setColumnWidth(0, table.fontMetrics().averageCharWidth() * 42)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().lineSpacing() + 4)
        return table

    @Slot()
    def _on_copy(self) -> None:
        """The selected rows, or all that are shown when none is."""
        rows = sorted(index.row() for index in self._table.selectionModel().selectedRows())
        QGuiApplication.clipboard().setText(self._rows.text(rows or range(self._rows.rowCount())))


def _text_label(name: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _copy_button(name: str, text: str) -> QPushButton:
    button = QPushButton(icon("copy"), text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    button.setAutoDefault(False)
    return button
