"""The settings' page about the key that clients show to some servers."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QVBoxLayout, QWidget

from gglib_desktop.domain.errors import GglibError
from gglib_desktop.domain.servers.access import KeyPlace
from gglib_desktop.viewmodels.settings.settings_form import AccessViewModel
from gglib_desktop.views.widgets.buttons import push_button
from gglib_desktop.views.widgets.labels.wrap import WrapLabel
from gglib_desktop.views.words.errors import words_for_error


class AccessGroup(QWidget):
    """Says where the key is kept, copies it, and makes another one after a question."""

    def __init__(self, access: AccessViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._access = access
        self._place = self._label("keyPlace", self.tr("Looking where the key is kept…"))
        self._news = self._label("keyNews", "")
        self._copy = push_button("copyAccessKey", self.tr("Copy key"), self, icon_name="copy")
        self._renew = push_button("newKey", self.tr("New key…"), self, icon_name="restart")
        self._lay_out()
        self._copy.clicked.connect(access.copy.trigger)
        self._renew.clicked.connect(self._on_renew)
        access.placeChanged.connect(self._on_place)
        access.keyRead.connect(self._on_key)
        access.renewed.connect(self._on_renewed)
        access.failed.connect(self._on_failed)
        access.look.trigger()

    def _lay_out(self) -> None:
        meaning = self.tr(
            "Servers that other computers can reach answer only who shows this key; others do if that is chosen for"
            " them."
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(self._renew)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(self._label("keyMeaning", meaning))
        layout.addWidget(self._place)
        layout.addLayout(buttons)
        layout.addWidget(self._news)
        layout.addStretch()

    def _label(self, name: str, text: str) -> WrapLabel:
        label = WrapLabel(text, parent=self)
        label.setObjectName(name)
        return label

    @Slot(object)
    def _on_place(self, place: KeyPlace) -> None:
        if place.file is None:
            lines = [self.tr("The key is kept in the system's keyring ({name}).").format(name=place.keyring)]
        else:
            lines = [self.tr("The key is kept in {file}, which only you can read.").format(file=place.file)]
        if place.keyring_problem:
            problem = self.tr("The system's keyring is not used: {reason}.")
            lines.append(problem.format(reason=place.keyring_problem))
        if place.was_readable:
            lines.append(
                self.tr("Other users could read that file until now. Make a new key if they must not know it.")
            )
        self._place.setText(" ".join(lines))

    @Slot(str)
    def _on_key(self, key: str) -> None:
        QGuiApplication.clipboard().setText(key)
        self._news.setText(self.tr("Copied."))

    @Slot()
    def _on_renewed(self) -> None:
        self._news.setText(self.tr("There is a new key. Servers that run keep the old one until they are restarted."))

    @Slot(object)
    def _on_failed(self, error: GglibError) -> None:
        self._news.setText(words_for_error(error).text)

    @Slot()
    def _on_renew(self) -> None:
        question = QMessageBox(self)
        question.setObjectName("newKeyQuestion")
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle(self.tr("New key"))
        question.setText(self.tr("Make a new key?"))
        question.setInformativeText(
            self.tr("Clients then need the new one. Servers that run keep the old one until they are restarted.")
        )
        make = question.addButton(self.tr("Make a new key"), QMessageBox.ButtonRole.AcceptRole)
        make.setObjectName("newKeyMake")
        make.clicked.connect(self._access.renew.trigger)
        question.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole).setObjectName("newKeyCancel")
        question.finished.connect(question.deleteLater)
        question.open()
