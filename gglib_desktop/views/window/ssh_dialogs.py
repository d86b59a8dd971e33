"""The dialogs about host keys and passphrases of other computers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from gglib_desktop.domain.documents.ssh_questions import ChangedHostKey, HostKeyQuestion, SecretQuestion
from gglib_desktop.viewmodels.settings.ssh_questions import Answer, Shown, SshQuestionsViewModel
from gglib_desktop.views.widgets.ask import ask
from gglib_desktop.views.widgets.buttons import box_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel

_CHARACTERS = 62
_MARGINS = 40
Run = Callable[[Coroutine[Any, Any, object], str], None]


class SshDialogs(QObject):
    """Shows the current question in front of everything else that is open."""

    def __init__(self, questions: SshQuestionsViewModel, window: QWidget, run: Run) -> None:
        super().__init__(window)
        self._questions = questions
        self._window = window
        self._run = run
        self._dialog: _SshDialog | None = None
        questions.currentChanged.connect(self._show)
        self._show(questions.current)

    @Slot(object)
    def _show(self, shown: Shown | None) -> None:
        taken_back, self._dialog = self._dialog, None
        if taken_back is not None and isValid(taken_back):
            taken_back.reject()
        if shown is not None:
            self._dialog = dialog = _dialog(shown, QApplication.activeModalWidget() or self._window)
            self._run(self._ask(dialog), "question of ssh")

    async def _ask(self, dialog: _SshDialog) -> None:
        if self._dialog is not dialog:  # it was taken back at once
            dialog.deleteLater()
            return
        QApplication.alert(self._window)
        await ask(dialog)
        if self._dialog is dialog:
            self._dialog = None
            self._questions.answer(dialog.answer)


def _dialog(shown: Shown, parent: QWidget) -> _SshDialog:
    if isinstance(shown, HostKeyQuestion):
        return UnknownHostKeyDialog(shown, parent)
    if isinstance(shown, SecretQuestion):
        return PassphraseDialog(shown, parent)
    return ChangedHostKeyDialog(shown, parent)


class _SshDialog(QDialog):
    """``answer`` is None unless the user gave one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.answer: Answer = None
        self._width = min(
            self.fontMetrics().averageCharWidth() * _CHARACTERS, self.screen().availableGeometry().width() - _MARGINS
        )
        self.setMinimumWidth(self._width)
        self._rows = QVBoxLayout(self)
        self._rows.setSpacing(12)

    def say(self, name: str, text: str) -> WrapLabel:
        label = WrapLabel(parent=self)
        label.setObjectName(name)
        # First the width: the dialog would keep the height that its text needs in a narrow label.
        label.resize(self._width - _MARGINS, 0)
        label.setText(text)
        self._rows.addWidget(label)
        return label

    def show_fingerprint(self, fingerprint: str) -> None:
        text = self.tr("Fingerprint: {fingerprint}").format(fingerprint=fingerprint)
        label = QLabel(text, self)
        label.setObjectName("fingerprint")
        label.setAccessibleName(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        flags = Qt.TextInteractionFlag
        label.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        if label.sizeHint().width() > self.screen().availableGeometry().width() - _MARGINS:
            # No part of it may be out of sight, however large the text is.
            half = len(text) // 2
            label.setText(f"{text[:half]}\n{text[half:]}")
        self._rows.addWidget(label)

    def button_box(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        self._rows.addStretch()
        self._rows.addWidget(box)
        box.rejected.connect(self.reject)
        return box


class UnknownHostKeyDialog(_SshDialog):
    """``answer`` True: the user trusts this key."""

    def __init__(self, question: HostKeyQuestion, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("unknownHostKeyDialog")
        self.setWindowTitle(self.tr("Unknown host key"))
        self.say(
            "hostKeyText",
            self.tr("{machine} shows a key that is not known on this computer.").format(machine=question.machine),
        )
        self.say(
            "hostKeyHost",
            self.tr("Host: {host}\nKind of key: {kind}").format(host=question.host, kind=question.kind),
        )
        self.show_fingerprint(question.fingerprint)
        self.say(
            "hostKeyAdvice",
            self.tr(
                "Trust it only if this is the fingerprint of that computer, as its administrator or its console says."
                " ssh remembers it from then on."
            ),
        )
        box = self.button_box()
        trust = box_button(box, "hostKeyTrust", self.tr("Trust"), QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = box_button(box, "hostKeyCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        trust.setAutoDefault(False)
        cancel.setDefault(True)
        cancel.setFocus()
        trust.clicked.connect(self._on_trust)

    @Slot()
    def _on_trust(self) -> None:
        self.answer = True
        self.accept()


class ChangedHostKeyDialog(_SshDialog):
    """There is nothing to answer."""

    def __init__(self, told: ChangedHostKey, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("changedHostKeyDialog")
        self.setWindowTitle(self.tr("Host key changed"))
        self.say(
            "hostKeyText",
            self.tr(
                "{machine} shows another key than the one that is known on this computer. It was not connected to."
            ).format(machine=told.machine),
        )
        if told.fingerprint:
            self.show_fingerprint(told.fingerprint)
        self.say(
            "hostKeyAdvice",
            self.tr(
                "Either that computer was installed anew, or another one answers in its place. Ask its administrator."
                " If the new key is right, remove the old one from the file of known hosts with ssh-keygen -R, and"
                " connect again."
            ),
        )
        box = self.button_box()
        close = box_button(box, "hostKeyClose", self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)


class PassphraseDialog(_SshDialog):
    """``answer`` is what was typed."""

    def __init__(self, question: SecretQuestion, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("passphraseDialog")
        self.setWindowTitle(self.tr("Passphrase"))
        self.say("passphraseMachine", self.tr("To connect to {machine}, ssh asks:").format(machine=question.machine))
        self.say("passphraseText", question.text)
        self._line = QLineEdit(self)
        self._line.setObjectName("passphrase")
        self._line.setAccessibleName(self.tr("Passphrase"))
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        form = QFormLayout()
        form.addRow(self.tr("&Passphrase:"), self._line)
        self._rows.addLayout(form)
        self.say("passphraseNote", self.tr("It is handed to ssh, and kept nowhere."))
        box = self.button_box()
        ok = box_button(box, "passphraseOk", self.tr("OK"), QDialogButtonBox.ButtonRole.AcceptRole)
        box_button(box, "passphraseCancel", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        ok.setDefault(True)
        ok.clicked.connect(self._on_ok)
        self._line.setFocus()

    @Slot()
    def _on_ok(self) -> None:
        self.answer = self._line.text()
        self.accept()
