"""The page of a model's details that checks its files."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from gglib_desktop.domain.models.integrity import HashSource
from gglib_desktop.viewmodels.models.model_integrity import IntegrityState, ModelIntegrityViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import sentence

_STEPS = 1000


class IntegrityPage(QWidget):
    """Says which SHA-256 the files should have and where that sum comes from; reads and compares them on request."""

    def __init__(self, integrity: ModelIntegrityViewModel) -> None:
        super().__init__()
        self._integrity = integrity
        self._reference, self._verdict = self._label("integrityReference"), self._label("integrityVerdict")
        self._check = push_button("integrity_check", self.tr("Chec&k"))
        self._cancel = push_button("integrity_cancel", self.tr("Canc&el"))
        self._check.clicked.connect(integrity.check.trigger)
        self._cancel.clicked.connect(integrity.check.cancel)
        self._progress = QProgressBar()
        self._progress.setObjectName("integrityProgress")
        self._progress.setAccessibleName(self.tr("Progress of the check"))
        self._progress.setRange(0, _STEPS)
        self._sums = QPlainTextEdit()
        self._sums.setObjectName("integritySums")
        self._sums.setAccessibleName(self.tr("Sums of the files"))
        self._sums.setReadOnly(True)
        self._sums.setTabChangesFocus(True)
        self._sums.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._sums.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._copy = push_button("copySums", self.tr("Copy sums"), icon_name="copy")
        self._copy.clicked.connect(self._on_copy)
        self._assemble()
        integrity.stateChanged.connect(self._render)
        self._render(integrity.state)

    def _label(self, name: str) -> WrapLabel:
        label = WrapLabel()
        label.setObjectName(name)
        return label

    def _assemble(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self._check)
        line.addWidget(self._cancel)
        line.addWidget(self._progress, 1)
        line.addStretch()
        below = QHBoxLayout()
        below.addStretch()
        below.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.addWidget(self._reference)
        layout.addLayout(line)
        layout.addWidget(self._verdict)
        layout.addWidget(self._sums, 1)
        layout.addLayout(below)
        layout.addStretch()

    @Slot(object)
    def _render(self, state: IntegrityState) -> None:
        busy = state.share is not None
        self._say(self._reference, self._reference_text(state))
        self._say(self._verdict, self._verdict_text(state))
        self._check.setEnabled(not busy and state.known is not None)
        self._cancel.setEnabled(busy)
        self._progress.setVisible(busy)
        self._cancel.setVisible(busy)
        self._progress.setValue(int((state.share or 0) * _STEPS))
        self._sums.setPlainText(state.text)
        self._sums.setVisible(bool(state.text))
        self._copy.setVisible(bool(state.sums))

    def _say(self, label: WrapLabel, text: str) -> None:
        label.setText(text)
        label.setAccessibleName(text)

    def _reference_text(self, state: IntegrityState) -> str:
        if state.known is None:
            return self.tr("Looking for what is known about this file…")
        known = [each for each in state.known if each is not None]
        if not known:
            return self.tr(
                "Nothing on this computer tells which SHA-256 this model ought to have. It can be worked out, to"
                " compare it with what the model’s page says."
            )
        if len(known) < len(state.known):
            text = self.tr("For {some} of {all} files, the SHA-256 that they ought to have is known from {source}.")
        else:
            text = self.tr("The SHA-256 that this model ought to have is known from {source}.")
        return text.format(some=len(known), all=len(state.known), source=self._source_text(known[0].source))

    def _source_text(self, source: HashSource) -> str:
        return {
            HashSource.OLLAMA: self.tr("its name in Ollama’s store"),
            HashSource.HUGGING_FACE: self.tr("its name in the cache of Hugging Face"),
            HashSource.DOWNLOAD: self.tr("the record of its download from Hugging Face"),
        }[source]

    def _verdict_text(self, state: IntegrityState) -> str:
        if state.problem is not None:
            return self.tr("This could not be checked. {reason}").format(reason=sentence(state.problem))
        if state.share is not None:
            return self.tr("Reading…")
        if state.was_cancelled:
            return self.tr("Cancelled.")
        if not state.sums:
            return ""
        wrong = [each.path.name for each in state.sums if each.is_right is False]
        if wrong:
            text = self.tr("Not the same as when it was published, so damaged or changed: {files}")
            return text.format(files=", ".join(wrong))
        if state.is_right:
            return self.tr("Everything is as it was published.")
        return self.tr("These are the sums; there is nothing on this computer to compare all of them with.")

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._integrity.state.text)
