"""A server's log as it grows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from gglib_desktop.domain.servers.log_text import LogLevel
from gglib_desktop.viewmodels.servers.log import LogViewModel
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.servers.log.rows import LogRows
from gglib_desktop.views.servers.page import Page
from gglib_desktop.views.widgets.labels.elided import ElidedLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox

_LEVELS = (LogLevel.DEBUG, LogLevel.WARNING, LogLevel.ERROR)
_NOTICE_MS = 8000


class LogView(Page):
    """Shows the end of the log and follows it, unless the reader has scrolled up. Ctrl+F searches in it."""

    def __init__(self, log: LogViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self._rows = LogRows(log.table, self)
        self._rows.setAccessibleName(self.tr("Log lines"))
        self._search = _SearchBar(self)
        self._level = WheelSafeComboBox(self)
        self._level.setObjectName("logLevel")
        self._level.addItems([self.tr("All lines"), self.tr("Warnings and errors"), self.tr("Errors")])
        self._level.setAccessibleDescription(self.tr("Which lines of the log are shown"))
        self._level.setToolTip(self._level.accessibleDescription())
        self._follow = QCheckBox(self.tr("Follow"), self)
        self._follow.setObjectName("followLog")
        self._follow.setAccessibleName(self.tr("Follow"))
        self._follow.setChecked(True)
        self._follow.setToolTip(self.tr("Stay at the end of the log as it grows"))
        self._copy = self._button("copyLog", self.tr("Copy log"))
        self._copy.setAccessibleName(self.tr("Copy log"))
        self._copy.setToolTip(self.tr("Copy the selected lines, or all that are shown"))
        self._save = self._button("saveLog", self.tr("Save…"))
        self._save.setAccessibleName(self.tr("Save log"))
        self._save.setToolTip(self.tr("Save the whole log file"))
        self._notice = ElidedLabel(self)
        self._notice.setObjectName("logNotice")
        self._notice.hide()
        self._notice_timer = QTimer(self, singleShot=True, interval=_NOTICE_MS)
        self._assemble()
        self._connect()
        self._on_name(log.name)
        self._render_matches()

    @override
    def take_focus(self) -> None:
        self._rows.setFocus()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._log.set_shown(True)
        self._on_appended()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._log.set_shown(False)

    @override
    def event(self, event: QEvent) -> bool:
        # Within the log its own search wins over the window's Ctrl+F; two shortcuts for one key would both be dead.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_search_key(event):
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self._search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._search.field.selectAll()
        elif event.matches(QKeySequence.StandardKey.FindNext):
            self._on_next()
        elif event.matches(QKeySequence.StandardKey.FindPrevious):
            self._on_previous()
        elif event.key() == Qt.Key.Key_Escape and self._search.field.text():
            self._search.field.clear()
        else:
            super().keyPressEvent(event)

    # -- assembling

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        return button

    def _assemble(self) -> None:
        tools = QHBoxLayout()
        tools.addWidget(self._level)
        tools.addWidget(self._follow)
        tools.addStretch()
        tools.addWidget(self._copy)
        tools.addWidget(self._save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self._search)
        layout.addWidget(self._rows)
        layout.addLayout(tools)
        layout.addWidget(self._notice)

    def _connect(self) -> None:
        log, search = self._log, self._search
        log.appended.connect(self._on_appended)
        log.nameChanged.connect(self._on_name)
        log.saving.saved.connect(self._on_saved)
        log.saving.failed.connect(self._on_save_failed)
        search.field.textChanged.connect(self._on_search)
        search.nextRequested.connect(self._on_next)
        search.previousRequested.connect(self._on_previous)
        self._rows.followChanged.connect(self._on_follow_changed)
        self._rows.selectionModel().currentChanged.connect(self._on_current_changed)
        self._level.currentIndexChanged.connect(self._on_level)
        self._follow.toggled.connect(self._rows.follow)
        self._copy.clicked.connect(self._copy_lines)
        self._save.clicked.connect(self._on_save)
        self._notice_timer.timeout.connect(self._notice.hide)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self._rows)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._copy_lines)

    # -- showing

    @Slot()
    def _on_appended(self) -> None:
        self._rows.show_news()
        self._render_matches()

    @Slot(bool)
    def _on_follow_changed(self, follows: bool) -> None:
        with QSignalBlocker(self._follow):
            self._follow.setChecked(follows)

    @Slot(str)
    def _on_name(self, name: str) -> None:
        self._save.setEnabled(bool(name))

    @Slot(int)
    def _on_level(self, index: int) -> None:
        self._rows.show_from(_LEVELS[index])
        self._render_matches()

    # -- searching

    @Slot(str)
    def _on_search(self, text: str) -> None:
        table, rows = self._log.table, self._rows
        table.search(text)
        rows.viewport().update()
        here = (
            rows.currentIndex().row() if table.match_position(rows.currentIndex().row()) else rows.first_visible_row()
        )
        self._go_to(table.next_match(here - 1))

    @Slot()
    def _on_next(self) -> None:
        self._go_to(self._log.table.next_match(self._here()))

    @Slot()
    def _on_previous(self) -> None:
        self._go_to(self._log.table.next_match(self._here(), forward=False))

    def _here(self) -> int:
        current = self._rows.currentIndex()
        return current.row() if current.isValid() else self._rows.first_visible_row()

    def _go_to(self, row: int | None) -> None:
        if row is not None:
            self._rows.show_row(row)
        self._render_matches()

    @Slot(QModelIndex, QModelIndex)
    def _on_current_changed(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self._render_matches()

    def _render_matches(self) -> None:
        table = self._log.table
        self._search.show_matches(table.match_position(self._rows.currentIndex().row()), len(table.matches))

    # -- copying and saving

    @Slot()
    def _copy_lines(self) -> None:
        table, rows = self._log.table, self._rows.selected_rows()
        is_part = 0 < len(rows) < table.rowCount()
        QGuiApplication.clipboard().setText("\n".join(map(table.line, rows)) if is_part else table.text())

    @Slot()
    def _on_save(self) -> None:
        dialog = QFileDialog(self, self.tr("Save log"))
        dialog.setObjectName("saveLogDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Logs (*.log)"), self.tr("All files (*)")])
        dialog.setDefaultSuffix("log")
        dialog.setDirectory(home_folder())
        dialog.selectFile(f"{self._log.name}.log")
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    @Slot(str)
    def _on_file_chosen(self, name: str) -> None:
        self._log.saving.save(Path(name))

    @Slot(str)
    def _on_saved(self, path: str) -> None:
        self._show_notice(self.tr("Saved as {path}").format(path=path))
        self._notice_timer.start()

    @Slot(str)
    def _on_save_failed(self, reason: str) -> None:
        self._notice_timer.stop()
        self._show_notice(self.tr("The log could not be saved: {reason}").format(reason=reason))

    def _show_notice(self, text: str) -> None:
        self._notice.setText(text)
        self._notice.setAccessibleName(text)
        self._notice.show()


class _SearchBar(QWidget):
    """The field, the buttons to the previous and the next match, and how many there are."""

    nextRequested = Signal()
    previousRequested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = _SearchField(self)
        self.field.setObjectName("logSearch")
        self.field.setAccessibleName(self.tr("Search log"))
        self.field.setPlaceholderText(self.tr("Search log"))
        self.field.setClearButtonEnabled(True)
        self._previous = self._button("logPrevious", self.tr("Previous match"), Qt.ArrowType.UpArrow)
        self._next = self._button("logNext", self.tr("Next match"), Qt.ArrowType.DownArrow)
        self._count = QLabel(self)
        self._count.setObjectName("logMatches")
        # A text of changing length must not push the buttons about.
        self._count.setMinimumWidth(self._count.fontMetrics().horizontalAdvance("99999 of 99999"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.field, 1)
        layout.addWidget(self._previous)
        layout.addWidget(self._next)
        layout.addWidget(self._count)
        self.field.nextRequested.connect(self.nextRequested)
        self.field.previousRequested.connect(self.previousRequested)
        self._previous.clicked.connect(self.previousRequested)
        self._next.clicked.connect(self.nextRequested)

    def show_matches(self, position: int, count: int) -> None:
        """Which match the reader is at, 0 for none, and of how many."""
        if not self.field.text():
            text = ""
        elif not count:
            text = self.tr("No match")
        elif position:
            text = self.tr("{position} of {count}").format(position=position, count=count)
        else:
            text = self.tr("{count} found").format(count=count)
        if text != self._count.text():
            self._count.setText(text)
        self._previous.setEnabled(bool(count))
        self._next.setEnabled(bool(count))

    def _button(self, name: str, text: str, arrow: Qt.ArrowType) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setArrowType(arrow)
        button.setAccessibleName(text)
        button.setToolTip(text)
        return button


class _SearchField(QLineEdit):
    """Enter goes to the next match, Shift+Enter to the one before, Esc clears."""

    nextRequested = Signal()
    previousRequested = Signal()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            (self.previousRequested if back else self.nextRequested).emit()
        else:
            super().keyPressEvent(event)


def _is_search_key(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    return any(event.matches(key) for key in (keys.Find, keys.FindNext, keys.FindPrevious))
