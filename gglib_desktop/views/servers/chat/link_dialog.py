"""Asks before an address from a chat is opened."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from gglib_desktop.views.widgets.buttons import box_button

_TEXT_CHARACTERS = 56


class LinkDialog(QDialog):
    """Shows the whole address as it will be opened, with letters of other scripts in the host encoded."""

    def __init__(self, url: QUrl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("openLinkDialog")
        self.setWindowTitle(self.tr("Open link"))
        question = QLabel(self.tr("The model wrote this address. Open it in the browser?"), self)
        question.setWordWrap(True)
        address = QLabel(bytes(url.toEncoded().data()).decode("ascii"), self)
        address.setObjectName("linkAddress")
        address.setTextFormat(Qt.TextFormat.PlainText)
        address.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        address.setWordWrap(True)
        address.setMinimumWidth(address.fontMetrics().averageCharWidth() * _TEXT_CHARACTERS)
        box = QDialogButtonBox(self)
        box_button(box, "openLink", self.tr("Open"), QDialogButtonBox.ButtonRole.AcceptRole)
        cancel = box_button(box, "cancelLink", self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(question)
        layout.addWidget(address)
        layout.addWidget(box)
        cancel.setDefault(True)
        cancel.setFocus()
