"""The actions on a form's command line: copy it, save it, or fill the form with another one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.commandline.export import ExportFormat
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.viewmodels.launch.command_text import CommandTextViewModel
from gglib_desktop.views.launch.paste_command import PasteCommandDialog
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.commands import file_name, format_name, reading_text
from gglib_desktop.views.words.errors import words_for_error

_NOTE_LINES = 4


class CommandTools(QWidget):
    """A row of buttons, with the result of the last one below it."""

    def __init__(self, commands: CommandTextViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("commandTools")
        self._commands = commands
        self._format = WheelSafeComboBox(self)
        self._format.setObjectName("commandFormat")
        for form in ExportFormat:
            self._format.addItem(format_name(form), form)
        self._copy = push_button("commandCopy", self.tr("Copy"), self, icon_name="copy")
        self._save = push_button("commandSave", self.tr("Save to file…"), self)
        self._paste = push_button("commandPaste", self.tr("Paste command line…"), self)
        self._paste.setToolTip(self.tr("Fills in the form from a llama-server command line"))
        self._news = WrapLabel(parent=self)
        self._news.setObjectName("commandNews")
        self._news.hide()
        self._notes = self._notes_box()
        self._hide_notes = push_button("commandNotesHide", self.tr("Hide"), self)
        self._hide_notes.setToolTip(self.tr("Hides what became of the pasted command line"))
        self._past = QWidget(self)
        self._past.hide()
        self._lay_out()
        self._connect()
        self._render(commands.form.state)

    def _notes_box(self) -> QPlainTextEdit:
        box = QPlainTextEdit(self)
        box.setObjectName("commandNotes")
        box.setAccessibleName(self.tr("What became of the pasted command line"))
        box.setReadOnly(True)
        box.setTabChangesFocus(True)
        margins = 2 * (box.frameWidth() + round(box.document().documentMargin()))
        box.setFixedHeight(box.fontMetrics().lineSpacing() * _NOTE_LINES + margins + 2)
        return box

    def _lay_out(self) -> None:
        label = QLabel(self.tr("As &a:"), self)
        label.setBuddy(self._format)
        row = QHBoxLayout()
        row.addWidget(label)
        for widget in (self._format, self._copy, self._save):
            row.addWidget(widget)
        row.addStretch()
        row.addWidget(self._paste)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self._news)
        layout.addWidget(self._past)
        past = QHBoxLayout(self._past)
        past.setContentsMargins(0, 0, 0, 0)
        past.addWidget(self._notes, 1)
        past.addWidget(self._hide_notes, 0, Qt.AlignmentFlag.AlignTop)

    def _connect(self) -> None:
        self._copy.clicked.connect(self._on_copy)
        self._save.clicked.connect(self._on_save)
        self._paste.clicked.connect(self._on_paste)
        self._hide_notes.clicked.connect(self._past.hide)
        self._format.currentIndexChanged.connect(self._on_format)
        self._commands.failed.connect(self._on_failed)
        self._commands.filled.connect(self.show_reading)
        self._commands.form.stateChanged.connect(self._render)

    # -- showing

    @Slot(object)
    def _render(self, state: FormState) -> None:
        for button in (self._copy, self._save):
            button.setEnabled(state.argv is not None)
        self._tell("")

    @Slot(object)
    def show_reading(self, line: CommandLine) -> None:
        """Reports what became of a command line that filled the form."""
        self._notes.setPlainText(reading_text(line))
        self._past.show()

    def _tell(self, text: str) -> None:
        self._news.setText(text)
        self._news.setAccessibleName(text)
        self._news.setVisible(bool(text))

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        words = words_for_error(error)
        self._tell(f"{words.summary} {words.hint}".strip())

    # -- acting

    @property
    def _chosen(self) -> ExportFormat:
        return ExportFormat(self._format.currentData())

    @Slot()
    def _on_format(self) -> None:
        self._tell("")

    @Slot()
    def _on_copy(self) -> None:
        text = self._commands.text(self._chosen)
        if text is not None:
            QGuiApplication.clipboard().setText(text)
            self._tell(self.tr("Copied: {form}.").format(form=format_name(self._chosen)))

    @Slot()
    def _on_save(self) -> None:
        self._commands.run(if_there(self, self._save_to_file(self._chosen)), "save a command line")

    async def _save_to_file(self, form: ExportFormat) -> None:
        dialog = QFileDialog(self, self.tr("Save {form}").format(form=format_name(form)))
        dialog.setObjectName("commandSaveDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDirectory(home_folder())
        dialog.selectFile(file_name(form))
        if await ask(dialog) != QDialog.DialogCode.Accepted:
            return
        path = Path(dialog.selectedFiles()[0])
        await self._commands.save(path, form)
        if isValid(self):
            self._tell(self.tr("Saved: {path}").format(path=path))

    @Slot()
    def _on_paste(self) -> None:
        self._commands.run(if_there(self, self._ask_for_line()), "paste a command line")

    async def _ask_for_line(self) -> None:
        dialog = PasteCommandDialog(self._commands.read, self._commands.run, self)
        if await ask(dialog) == QDialog.DialogCode.Accepted and dialog.line is not None:
            self._commands.fill(dialog.line)
