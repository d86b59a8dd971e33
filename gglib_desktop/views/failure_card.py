"""What a failed server's panel says: the cause, the evidence, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gglib_desktop.domain.failures import Failure, FailureCause
from gglib_desktop.views.widgets.wrap_label import WrapLabel
from gglib_desktop.views.wording import words_for_failure

_MOST_LINES = 8


class FailureCard(QFrame):
    """One failure with its remedies. It emits what was chosen; acting is the panel's business."""

    tryAgain = Signal()
    useFreePort = Signal()
    turnMtpOff = Signal()
    chooseEngine = Signal()
    showLog = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("failureCard")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setAutoFillBackground(True)
        self._summary = WrapLabel(parent=self)
        self._summary.setObjectName("failureSummary")
        self._hint = WrapLabel(parent=self)
        self._hint.setObjectName("failureHint")
        for label in (self._summary, self._hint):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self._summary.font()
        font.setBold(True)
        self._summary.setFont(font)
        self._evidence = QPlainTextEdit(self)
        self._evidence.setObjectName("failureEvidence")
        self._evidence.setAccessibleName(self.tr("Evidence from the log"))
        self._evidence.setReadOnly(True)
        self._evidence.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._evidence.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._remedies = self._make_remedies()
        layout = QVBoxLayout(self)
        for widget in (self._summary, self._hint, self._evidence):
            layout.addWidget(widget)
        row = QHBoxLayout()
        for button in self._remedies.values():
            row.addWidget(button)
        row.addStretch()
        layout.addLayout(row)

    def show_failure(self, failure: Failure, ended_word: str) -> None:
        words = words_for_failure(failure, ended_word)
        self._summary.setText(words.summary)
        self._hint.setText(words.hint)
        self._hint.setVisible(bool(words.hint))
        self.setAccessibleName(words.summary)
        lines = failure.evidence[-_MOST_LINES:]
        self._evidence.setPlainText("\n".join(lines))
        self._evidence.setVisible(bool(lines))
        margins = self._evidence.contentsMargins()
        height = self._evidence.fontMetrics().lineSpacing() * (len(lines) + 1) + 12
        self._evidence.setFixedHeight(height + margins.top() + margins.bottom())
        cause = failure.cause
        self._remedies["useFreePort"].setVisible(cause is FailureCause.PORT_TAKEN)
        self._remedies["turnMtpOff"].setVisible(cause is FailureCause.MTP_LAYERS_MISSING)
        self._remedies["chooseEngine"].setVisible(
            cause in {FailureCause.ENGINE_UNUSABLE, FailureCause.LIBRARY_MISSING, FailureCause.ARCHITECTURE_UNSUPPORTED}
        )

    def _make_remedies(self) -> dict[str, QPushButton]:
        made = {}
        for name, text, signal in (
            ("useFreePort", self.tr("Use a free port and start"), self.useFreePort),
            ("turnMtpOff", self.tr("Turn MTP off and start"), self.turnMtpOff),
            ("chooseEngine", self.tr("Choose another engine…"), self.chooseEngine),
            ("tryAgain", self.tr("Try again"), self.tryAgain),
            ("showLog", self.tr("Show log"), self.showLog),
        ):
            button = QPushButton(text, self)
            button.setObjectName(name)
            button.clicked.connect(signal)
            made[name] = button
        return made
