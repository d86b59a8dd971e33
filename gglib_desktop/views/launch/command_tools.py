"""A form's command line: how it reads, copying and saving it, and filling the form with another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.commandline.exports.export import ExportFormat
from gglib_desktop.domain.commandline.invocation import mentions_server
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.domain.errors import ConfigurationError, GglibError
from gglib_desktop.domain.launch.form import FormState
from gglib_desktop.viewmodels.launch.launch_forms import CommandTextViewModel
from gglib_desktop.viewmodels.launch.option_form import OptionFormViewModel
from gglib_desktop.views.look.folders import home_folder
from gglib_desktop.views.widgets.ask import ask, if_there
from gglib_desktop.views.widgets.buttons import box_button, push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.widgets.wheel_safe_boxes import WheelSafeComboBox
from gglib_desktop.views.words.commands import file_name, format_name, reading_text, refusal_text
from gglib_desktop.views.words.errors import field_name, sentence, words_for_error

_NOTE_LINES = 4
_PAUSE_MS = 150
_CHARACTERS = 84
_LINES = 9
_LONGEST_CLIP = 20_000
_PREVIEW_LINES = 3


class CommandPreview(QWidget):
    """Follows the form; says why if there is no command line. Its ``title`` is for the place above it."""

    def __init__(self, form: OptionFormViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.title = WrapLabel()
        self.title.setObjectName("commandLineTitle")
        self._line = QPlainTextEdit()
        self._line.setObjectName("commandLinePreview")
        self._line.setAccessibleName(self.tr("Command line"))
        self._line.setReadOnly(True)
        self._line.setTabChangesFocus(True)
        self._line.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        margins = 2 * (self._line.frameWidth() + round(self._line.document().documentMargin()))
        self._line.setFixedHeight(self._line.fontMetrics().lineSpacing() * _PREVIEW_LINES + margins + 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._line)
        form.stateChanged.connect(self._render)
        self._render(form.state)

    @Slot(object)
    def _render(self, state: FormState) -> None:
        title = self.tr("Command line")
        if state.command_line and state.port_is_automatic:
            title = self.tr("Command line (if the first port is free; else with the next one that is)")
        if state.command_line and state.key_variable:
            handed_over = self.tr("{title}; the key is handed over in {variable}")
            title = handed_over.format(title=title, variable=state.key_variable)
        self.title.setText(title)
        text = state.command_line or self._why_none(state)
        if text != self._line.toPlainText():
            self._line.setPlainText(text)

    def _why_none(self, state: FormState) -> str:
        names = [field_name(name) for name, field in state.fields.items() if field.problem]
        if names:
            return self.tr("None yet: look at {fields}.").format(fields=", ".join(names))
        return self.tr("None yet: no llama-server is known.")


class CommandTools(QWidget):
    """A row of buttons, with the result of the last one below it."""

    def __init__(self, commands: CommandTextViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("commandTools")
        self._commands = commands
        self._format = WheelSafeComboBox(self)
        self._format.setObjectName("commandFormat")
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
        row = FlowRow([label, self._format, self._copy, self._save, self._paste])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row)
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
        self._format.activated.connect(self._on_chosen)
        self._commands.failed.connect(self._on_failed)
        self._commands.filled.connect(self.show_reading)
        self._commands.form.stateChanged.connect(self._render)

    # -- showing

    def _offer(self, formats: tuple[ExportFormat, ...]) -> None:
        """Changes the choice of formats only where it differs, and keeps what is chosen."""
        if formats == tuple(self._format.itemData(row) for row in range(self._format.count())):
            return
        chosen = self._format.currentData()
        self._format.clear()
        for form in formats:
            self._format.addItem(format_name(form), form)
        self._format.setCurrentIndex(max(0, self._format.findData(chosen)))

    @Slot(object)
    def _render(self, state: FormState) -> None:
        self._offer(self._commands.formats)
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
        self._tell(words_for_error(error).text)

    # -- acting

    @property
    def _chosen(self) -> ExportFormat:
        return ExportFormat(self._format.currentData())

    @Slot()
    def _on_format(self) -> None:
        self._tell("")

    @Slot()
    def _on_chosen(self) -> None:
        self._commands.prepare(self._chosen)

    @Slot()
    def _on_copy(self) -> None:
        text = self._text()
        if text is not None:
            QGuiApplication.clipboard().setText(text)
            self._tell(self.tr("Copied: {form}.").format(form=format_name(self._chosen)))

    def _text(self) -> str | None:
        """The command line in the chosen format; says why if there is none."""
        try:
            return self._commands.text(self._chosen)
        except ConfigurationError as error:
            self._tell(refusal_text(self._chosen, error))
        return None

    @Slot()
    def _on_save(self) -> None:
        if self._text() is not None:
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


class PasteCommandDialog(QDialog):
    """Reads while the user types. Only a readable text can be accepted; the text stays until then."""

    def __init__(
        self,
        read: Callable[[str], Awaitable[CommandLine]],
        run: Callable[[Coroutine[Any, Any, object], str], None],
        parent: QWidget | None = None,
    ) -> None:
        """``read`` raises ConfigurationError; ``run`` runs coroutines."""
        super().__init__(parent)
        self._read, self._run = read, run
        self._line: CommandLine | None = None
        self.setObjectName("pasteCommandDialog")
        self.setWindowTitle(self.tr("Paste command line"))
        self._text = self._text_box("pastedCommand", self.tr("Command line to read"))
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setPlaceholderText(
            self.tr(
                "llama-server …, as in a shell, a script, docker run, a compose file, a systemd unit, "
                "a Kubernetes manifest, a router preset or llama-swap’s configuration"
            )
        )
        self._notes = self._text_box("pastedNotes", self.tr("What becomes of it"))
        self._notes.setReadOnly(True)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._read_now)
        self._lay_out()
        self._render()
        self._text.textChanged.connect(self._on_edited)
        self._take_clipboard()

    @property
    def line(self) -> CommandLine | None:
        """The result of reading the text; set when the dialog has been accepted."""
        return self._line

    # -- places

    def _text_box(self, name: str, accessible_name: str) -> QPlainTextEdit:
        box = QPlainTextEdit(self)
        box.setObjectName(name)
        box.setAccessibleName(accessible_name)
        box.setTabChangesFocus(True)
        box.setMinimumHeight(box.fontMetrics().lineSpacing() * 4)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        return box

    def _lay_out(self) -> None:
        label, below = QLabel(self.tr("&Command line:")), QLabel(self.tr("What becomes of it:"))
        label.setBuddy(self._text)
        layout = QVBoxLayout(self)
        for widget in (label, self._text, below, self._notes, self._buttons()):
            layout.addWidget(widget)
        layout.setStretchFactor(self._text, 3)
        layout.setStretchFactor(self._notes, 4)
        metrics = self._text.fontMetrics()
        height = metrics.lineSpacing() * (2 * _LINES + 6)
        resize_within_screen(self, QSize(metrics.averageCharWidth() * _CHARACTERS, height))

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        text = self.tr("Fill in the form")
        self._fill = box_button(box, "pasteCommandFill", text, QDialogButtonBox.ButtonRole.AcceptRole)
        self._fill.setDefault(True)
        box_button(box, "pasteCommandCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box

    # -- reading

    def _take_clipboard(self) -> None:
        clip = QGuiApplication.clipboard().text()
        if len(clip) <= _LONGEST_CLIP and mentions_server(clip):
            self._text.setPlainText(clip)
            self._text.selectAll()

    @Slot()
    def _on_edited(self) -> None:
        self._line = None
        self._render()
        self._pause.start()

    @Slot()
    def _read_now(self) -> None:
        if self._text.toPlainText().strip():
            self._run(self._show_reading(self._text.toPlainText()), "read a command line")

    async def _show_reading(self, text: str) -> None:
        line, problem = None, ""
        try:
            line = await self._read(text)
        except ConfigurationError as exc:
            problem = sentence(self.tr(exc.reason))
        # The user may have gone on typing, or closed the dialog.
        if isValid(self) and text == self._text.toPlainText():
            self._line = line
            self._render(problem)

    def _render(self, problem: str = "") -> None:
        self._fill.setEnabled(self._line is not None)
        text = problem if self._line is None else reading_text(self._line)
        if text != self._notes.toPlainText():
            self._notes.setPlainText(text)
