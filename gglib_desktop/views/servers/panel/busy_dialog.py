"""Asks whether to stop a server in the middle of its work."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QStyle, QVBoxLayout, QWidget

from gglib_desktop.views.look.icons import icon
from gglib_desktop.views.look.type_scale import set_type
from gglib_desktop.views.widgets.buttons import box_button


class StopBusyDialog(QDialog):
    """Accepted means: stop it anyway. Enter and Esc leave it at work."""

    def __init__(self, title: str, requests: int, parent: QWidget | None = None, *, restarts: bool) -> None:
        super().__init__(parent)
        self.setObjectName("stopBusyDialog")
        heading = self.tr("Stop {title}?").format(title=title)
        self.setWindowTitle(heading)
        picture = QLabel(self)
        side = self.style().pixelMetric(QStyle.PixelMetric.PM_LargeIconSize)
        picture.setPixmap(icon("warning").pixmap(side, side))
        text = QVBoxLayout()
        text.addWidget(self._text("stopBusyHeading", heading, strong=True))
        text.addWidget(self._text("stopBusyRequests", self._requests_text(requests, restarts=restarts)))
        question = QHBoxLayout()
        question.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        question.addLayout(text, 1)
        layout = QVBoxLayout(self)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        layout.addLayout(question)
        layout.addWidget(self._buttons())

    def _text(self, name: str, text: str, *, strong: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        set_type(label, strong=strong)
        return label

    def _requests_text(self, requests: int, *, restarts: bool) -> str:
        if requests == 1:
            running = self.tr("1 request is running. It would be cut off.")
        else:
            running = self.tr("{count} requests are running. They would be cut off.").format(count=requests)
        return "\n".join((running, self.tr("The server starts again after that."))) if restarts else running

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        stop = box_button(box, "stopAnyway", self.tr("Stop anyway"), role.AcceptRole)
        cancel = box_button(box, "stopBusyCancel", self.tr("Cancel"), role.RejectRole)
        stop.setAutoDefault(False)
        cancel.setDefault(True)
        cancel.setFocus()
        stop.clicked.connect(self.accept)
        cancel.clicked.connect(self.reject)
        return box
