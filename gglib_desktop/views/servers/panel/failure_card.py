"""A failure in a server's panel: the cause, the evidence, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.servers.failures import Failure
from gglib_desktop.domain.servers.remedies import Remedy
from gglib_desktop.domain.servers.restart import Retry
from gglib_desktop.domain.servers.states import Unresponsive
from gglib_desktop.views.widgets.expander import Expander
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.widgets.layout.flow_row import FlowRow
from gglib_desktop.views.words.errors import Words
from gglib_desktop.views.words.failures import words_for_failure, words_for_rejected

_MOST_LINES = 8


class FailureCard(QFrame):
    """One failure with its remedies. It emits the chosen one; the panel acts on it."""

    chosen = Signal(object)  # Remedy
    stopTrying = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("failureCard")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setAutoFillBackground(True)
        self._summary = self._label("failureSummary", bold=True)
        self._hint = self._label("failureHint", bold=False)
        self._last_lines = Expander("lastLogLines", self)
        self._last_lines.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._last_lines.setText(self.tr("Last log lines"))
        self._last_lines.show_expanded(False, self._last_lines.text())
        self._last_lines.clicked.connect(self._on_last_lines)
        self._evidence = self._make_evidence()
        self._retry = QLabel(self)
        self._retry.setObjectName("retry")
        self._stop_trying = QPushButton(self.tr("Stop retrying"), self)
        self._stop_trying.setObjectName("stopTrying")
        self._stop_trying.clicked.connect(self.stopTrying)
        self._remedies = self._make_remedies()
        self._close = QPushButton(self.tr("Hide"), self)
        self._close.setObjectName("closeRejected")
        self._close.clicked.connect(self.closed)
        buttons = FlowRow([self._retry, self._stop_trying, *self._remedies.values(), self._close], self)
        layout = QVBoxLayout(self)
        for widget in (self._summary, self._hint, self._last_lines, self._evidence, buttons):
            layout.addWidget(widget)

    def show_failure(
        self, failure: Failure, ended_word: str, remedies: Sequence[Remedy], *, retry: Retry | None
    ) -> None:
        self._show(failure, words_for_failure(failure, ended_word))
        self._show_remedies(remedies)
        lives = ended_word == Unresponsive.word
        again = self.tr("Stop it and start again") if lives else self.tr("Try again")
        self._remedies[Remedy.TRY_AGAIN].setText(again)
        self._close.hide()
        self._stop_trying.setVisible(retry is not None)
        self._retry.setVisible(retry is not None)
        self.show_countdown(retry)

    def show_rejected(self, failure: Failure, remedies: Sequence[Remedy], *, runs: bool, untouched: bool) -> None:
        """Says why new settings did not start. ``runs`` and ``untouched``: as for its words."""
        self._show(failure, words_for_rejected(failure, runs=runs, untouched=untouched))
        self._show_remedies(remedies)
        self._stop_trying.hide()
        self._retry.hide()
        self._close.show()

    def show_offending_flag(self, flag: str) -> None:
        """The one extra argument at fault, if it is known; the others stay."""
        text = self.tr("Start without {flag}").format(flag=flag) if flag else self.tr("Start without extra arguments")
        self._remedies[Remedy.DROP_FLAGS].setText(text)

    def _show_remedies(self, remedies: Sequence[Remedy]) -> None:
        for remedy, button in self._remedies.items():
            button.setVisible(remedy in remedies)

    def _show(self, failure: Failure, words: Words) -> None:
        self._summary.setText(words.summary)
        self._hint.setText(words.hint)
        self._hint.setVisible(bool(words.hint))
        self.setAccessibleName(words.summary)
        self.setAccessibleDescription(words.hint)
        self._show_evidence(failure.evidence[-_MOST_LINES:], folds=failure.evidence_is_incidental)

    def show_countdown(self, retry: Retry | None) -> None:
        """Says when the next try is, and counts down."""
        if retry is not None:
            text = self.tr("Restarting in {wait} s (attempt {number} of {most})")
            wait_s = max(0, round(retry.at - time.time()))
            self._retry.setText(text.format(wait=wait_s, number=retry.number, most=retry.most))

    def _label(self, name: str, *, bold: bool) -> WrapLabel:
        label = WrapLabel(parent=self)
        label.setObjectName(name)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = label.font()
        font.setBold(bold)
        label.setFont(font)
        return label

    def _make_evidence(self) -> QPlainTextEdit:
        evidence = QPlainTextEdit(self)
        evidence.setObjectName("failureEvidence")
        evidence.setAccessibleName(self.tr("Evidence from the log"))
        evidence.setReadOnly(True)
        evidence.setTabChangesFocus(True)
        evidence.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        evidence.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        return evidence

    @Slot()
    def _on_last_lines(self) -> None:
        shown = not self._last_lines.is_expanded
        self._last_lines.show_expanded(shown, self._last_lines.text())
        self._evidence.setVisible(shown)

    def _show_evidence(self, lines: Sequence[str], *, folds: bool) -> None:
        """``folds``: they are not worth their room before somebody asks for them."""
        text = "\n".join(lines)
        if text != self._evidence.toPlainText():
            self._evidence.setPlainText(text)
        self._last_lines.setVisible(bool(lines) and folds)
        self._evidence.setVisible(bool(lines) and (not folds or self._last_lines.is_expanded))
        margins = self._evidence.contentsMargins()
        # One line more than there are, for the scroll bar below.
        height = self._evidence.fontMetrics().lineSpacing() * (len(lines) + 1) + 12
        self._evidence.setFixedHeight(height + margins.top() + margins.bottom())

    def _make_remedies(self) -> dict[Remedy, QPushButton]:
        made: dict[Remedy, QPushButton] = {}
        for remedy, name, text in (
            (Remedy.USE_FREE_PORT, "useFreePort", self.tr("Start on a free port")),
            (Remedy.TURN_MTP_OFF, "turnMtpOff", self.tr("Start without MTP")),
            (Remedy.LOWER_CONTEXT, "lowerContext", self.tr("Start with half the context")),
            (Remedy.DROP_FLAGS, "dropFlags", self.tr("Start without extra arguments")),
            (Remedy.CHOOSE_ENGINE, "chooseEngine", self.tr("Choose another engine…")),
            (Remedy.TRY_AGAIN, "tryAgain", self.tr("Try again")),
            (Remedy.SHOW_LOG, "showLog", self.tr("Show log")),
        ):
            button = QPushButton(text, self)
            button.setObjectName(name)
            button.setProperty("remedy", remedy.value)
            button.clicked.connect(self._on_clicked)
            made[remedy] = button
        return made

    @Slot()
    def _on_clicked(self) -> None:
        self.chosen.emit(Remedy(self.sender().property("remedy")))
