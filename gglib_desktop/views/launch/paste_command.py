"""Asks for a llama-server command line, and shows what becomes of each part of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from PySide6.QtCore import QSize, QTimer, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.commandline.invocation import mentions_server
from gglib_desktop.domain.commandline.reading import CommandLine
from gglib_desktop.domain.errors import ConfigurationError
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.layout.room import resize_within_screen
from gglib_desktop.views.words.commands import reading_text
from gglib_desktop.views.words.errors import sentence

_PAUSE_MS = 150
_CHARACTERS = 84
_LINES = 9
_LONGEST_CLIP = 20_000


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
            self.tr("llama-server …, as in a shell, a script, docker run, a compose file or a systemd unit")
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
